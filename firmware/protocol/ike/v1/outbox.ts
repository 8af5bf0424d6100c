/** What an endpoint wants done, in order; and how a message goes into it. */

import type { UdpPath } from '../../udp-path.ts';
import type { IkeOutput } from '../ike-types.ts';
import { fragment } from './fragmentation.ts';
import { decodeMessage } from './header.ts';

export class Outbox {
  readonly #outputs: IkeOutput[] = [];
  #fragmentId = 0;

  emit(output: IkeOutput): void {
    this.#outputs.push(output);
  }

  shift(): IkeOutput | undefined {
    return this.#outputs.shift();
  }

  /** Something came that is worth a line in a trace. @param message `Main Mode 3`, `Quick Mode 1`, `Informational`. */
  received(ikeId: number, message: string, detail?: string): void {
    this.#trace(ikeId, 'received', message, detail);
  }

  /**
   * One message, traced. In fragments where it is long and the peer can put them together.
   * @param name as for {@link received}.
   */
  send(ikeId: number, name: string, message: Uint8Array, path: UdpPath, fragments: boolean, detail?: string): void {
    this.#trace(ikeId, 'sent', name, detail);
    for (const datagram of fragments ? this.#cut(message) : [message]) {
      this.#outputs.push({ kind: 'send', datagram, path });
    }
  }

  #cut(message: Uint8Array): readonly Uint8Array[] {
    this.#fragmentId = (this.#fragmentId % 0xffff) + 1;
    return fragment(decodeMessage(message).header, message, this.#fragmentId);
  }

  #trace(ikeId: number, direction: 'sent' | 'received', message: string, detail: string | undefined): void {
    this.#outputs.push({ kind: 'trace', ikeId, direction, message, ...(detail === undefined ? {} : { detail }) });
  }
}
