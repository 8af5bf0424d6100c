/** `culvert provision`: a configuration into a router over its serial console. */
import { LinuxClock } from '../../hal/linux/clock.ts';
import { LinuxSerialPorts } from '../../hal/linux/serial-port.ts';
import type { SerialPort } from '../../hal/serial-port.ts';
import { bundleDevice } from '../protocol/provisioning/bundle.ts';
import { MAX_BUNDLE, type Ready, type TransferResult } from '../protocol/provisioning/frames.ts';
import { Sender, type SenderOutput } from '../protocol/provisioning/sender.ts';
import { LineWriter } from '../serial/line-writer.ts';
import { CONSOLE_BAUD } from '../serial/serial-console.ts';
import { MachineRunner } from '../vpn/machine-runner.ts';
import { type Context, UsageError } from './command.ts';
import { done, failed } from './output.ts';
import { makeBundle } from './provision-bundle.ts';
import { readWholeFile } from './text-file.ts';

/** What makes a bundle instead of sending one. */
const MAKE = 'make-bundle';
/** Options of the one and of the other. */
const MAKE_OPTIONS = ['device-key', 'enrolment-key', 'code', 'admin-password-file', 'force'] as const;

export async function run(context: Context): Promise<number> {
  const [first = '', second = '', third] = context.positionals;
  if (first === MAKE) {
    if (third === undefined) throw new UsageError(`"culvert provision ${MAKE}" takes CONFIG and BUNDLE: name both`);
    return await makeBundle(context, second, third);
  }
  const stray = MAKE_OPTIONS.find((option) => context.options[option] !== undefined);
  if (stray !== undefined) throw new UsageError(`--${stray} is of "culvert provision ${MAKE}": leave it out`);
  if (third !== undefined)
    throw new UsageError(`"${third}" is one argument too many: "culvert provision" takes DEVICE and BUNDLE`);
  return await send(context, first, second);
}

async function send(context: Context, device: string, file: string): Promise<number> {
  const bundle = await readWholeFile(file, MAX_BUNDLE, 'bundle');
  const wanted = bundleDevice(Buffer.from(bundle).toString('utf8'));
  if (wanted === undefined) {
    context.complain(`${file} is no bundle: make one with "culvert provision ${MAKE}"`);
    return failed;
  }
  const port = await new LinuxSerialPorts().open({ path: device, baud: CONSOLE_BAUD });
  try {
    const refuses = (ready: Ready) =>
      ready.device === wanted
        ? undefined
        : `${file} is for another router than ${ready.hostname}, whose device key is ${ready.device}: make one for that`;
    return await new Sending(context, port, bundle, refuses).result();
  } finally {
    await port.close();
  }
}

/** Hands for one {@link Sender}. */
class Sending {
  readonly #context: Context;
  readonly #port: SerialPort;
  readonly #machine: Sender;
  readonly #runner: MachineRunner<SenderOutput>;
  readonly #writer: LineWriter;
  readonly #ended = Promise.withResolvers<number>();
  /** Hundredths that were told last. */
  #told = 0;

  constructor(context: Context, port: SerialPort, bundle: Uint8Array, refuses: (ready: Ready) => string | undefined) {
    const clock = new LinuxClock();
    this.#context = context;
    this.#port = port;
    this.#writer = new LineWriter(port, () => this.#fail('the router takes nothing: check the cable'));
    this.#machine = new Sender(bundle, refuses, clock.now());
    this.#runner = new MachineRunner(
      this.#machine,
      clock,
      (output) => this.#handle(output),
      (error) => this.#fail(error instanceof Error ? error.message : String(error)),
    );
  }

  /** @returns the exit code. */
  async result(): Promise<number> {
    const cancel = () => this.#runner.run(() => this.#machine.cancel());
    const port = this.#port;
    port.onOctets = (octets) => this.#runner.run((now) => this.#machine.octets(octets, now));
    void port.ended.then((end) => {
      if (end.kind === 'lost') this.#runner.run(() => this.#machine.lost(end.reason));
    });
    process.on('SIGINT', cancel);
    try {
      this.#runner.run(() => undefined);
      const code = await this.#ended.promise;
      // The router wants to know that its answer was seen.
      await Promise.race([this.#writer.drained(), port.ended]);
      return code;
    } finally {
      process.off('SIGINT', cancel);
      this.#runner.stop();
    }
  }

  #handle(output: SenderOutput): void {
    const { options, out, progress } = this.#context;
    if (output.kind === 'send') this.#writer.write(output.octets);
    else if (output.kind === 'ready') {
      if (options.json !== true) out(`${output.ready.hostname} answers, with Culvert ${output.ready.version}`);
    } else if (output.kind === 'progress') this.#progress(Math.floor((100 * output.octets) / output.total));
    else {
      progress?.('');
      if (output.kind === 'failed') this.#fail(output.reason);
      else this.#ended.resolve(this.#tell(output.result));
    }
  }

  #progress(hundredths: number): void {
    const { options, out, progress } = this.#context;
    if (progress !== undefined) progress(`${hundredths} %`);
    else if (options.json !== true && hundredths >= this.#told + 25) {
      this.#told = hundredths - (hundredths % 25);
      out(`${this.#told} % is acknowledged`);
    }
  }

  #tell(result: TransferResult): number {
    const { options, out, complain } = this.#context;
    if (options.json === true) out(JSON.stringify(result, undefined, 2));
    if (!result.ok) complain(`the router has refused the bundle: ${result.lines.join('; ')}`);
    else if (options.json !== true) for (const line of result.lines) out(line);
    return result.ok ? done : failed;
  }

  #fail(reason: string): void {
    this.#context.complain(reason);
    this.#ended.resolve(failed);
  }
}
