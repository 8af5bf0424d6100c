/** What crossed the internet of a suite, read by tshark and by our decoder, with the keys of our routers. */
import { join } from 'node:path';
import type { IpsecKeys } from '../../firmware/api/router-control.ts';
import { type Capture, startCapture } from '../../scripts/lab/capture.ts';
import type { LabCulvert } from '../../scripts/lab/culvert.ts';
import type { Namespace } from '../../scripts/lab/namespaces.ts';
import { createStateFolder, type StateFolder } from '../../scripts/lab/state-folder.ts';
import { type Agreement, expectTsharkToAgree } from './tshark-ike.ts';

/** IKE and ESP, in UDP and bare; of fragments those behind the first, too. */
const FILTER = 'udp port 500 or udp port 4500 or ip proto 50 or (ip[6:2] & 0x1fff != 0)';

export class IkeWitness {
  readonly #folder: StateFolder = createStateFolder('ike-witness');
  readonly file = join(this.#folder.path, 'internet.pcap');
  readonly #keys: IpsecKeys[number][] = [];
  #capture: Capture | undefined;

  /** @param filter in tcpdump's language; empty for everything. */
  async start(namespace: Namespace, device = 'br0', filter = FILTER): Promise<void> {
    this.#capture = await startCapture({ namespace, device, file: this.file, filter });
  }

  /** Keeps the keys that a router has now: for an SA that ends, this is the last time. */
  async keep(router: LabCulvert | undefined): Promise<void> {
    if (router !== undefined) this.#keys.push(...(await router.client.ipsecKeys().catch(() => [])));
  }

  /** Ends the capture and compares all that is in it. */
  async agree(): Promise<Agreement> {
    await this.#capture?.stop();
    const agreed = await expectTsharkToAgree(this.file, this.#keys);
    process.stdout.write(`tshark and we agree on ${JSON.stringify(agreed)}\n`);
    return agreed;
  }

  async remove(): Promise<void> {
    await this.#capture?.stop();
    this.#folder.remove();
  }
}
