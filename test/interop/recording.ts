/** What interop tests see on the wire, kept to be decoded when they are done. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Capture, startCapture } from '../../scripts/lab/capture.ts';
import type { Namespace } from '../../scripts/lab/namespaces.ts';

/** Octets of the header of a pcap file. */
const PCAP_HEADER = 24;

/** Captures of one test file, joined into one pcap file. */
export class Recording {
  readonly #folder = mkdtempSync(join(tmpdir(), 'culvert-recording-'));
  readonly #files: string[] = [];
  #running: Capture | undefined;

  /** Begins to record; what was running before ends. */
  async start(namespace: Namespace, device: string, filter?: string): Promise<void> {
    await this.stop();
    const file = join(this.#folder, `${this.#files.length}.pcap`);
    this.#running = await startCapture({ namespace, device, file, ...(filter === undefined ? {} : { filter }) });
    this.#files.push(file);
  }

  /** Harmless when nothing runs. */
  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  /** Everything that was recorded, as one file. */
  async file(): Promise<string> {
    await this.stop();
    const captures = this.#files.map((file) => readFileSync(file));
    const whole = join(this.#folder, 'all.pcap');
    writeFileSync(
      whole,
      Buffer.concat(captures.map((octets, index) => octets.subarray(index === 0 ? 0 : PCAP_HEADER))),
    );
    return whole;
  }

  /** Takes the files away. */
  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.#folder, { recursive: true });
  }
}
