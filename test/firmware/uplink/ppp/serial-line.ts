/** The far end of a simulated serial line: pppd, behind CONNECT. And a source of such lines. */

import {
  AsyncFrameDecoder,
  AsyncFrameEncoder,
  longestCoding,
} from '../../../../firmware/protocol/hdlc/async-framing.ts';
import type { Failure, Instant, RandomSource } from '../../../../firmware/protocol/machine.ts';
import { emptyPppHeader, readPppHeader } from '../../../../firmware/protocol/ppp/header.ts';
import { PppLink } from '../../../../firmware/protocol/ppp/link.ts';
import { type PppLine, PppLineError, type PppLineSource } from '../../../../firmware/uplink/ppp-line.ts';
import type { SimulatedLineEnd, SimulatedOctetLines } from '../../../../hal/simulated/octet-line.ts';

export class FarEnd {
  readonly line: SimulatedLineEnd;
  readonly link: PppLink;
  readonly #encoder = new AsyncFrameEncoder();
  readonly #decoder: AsyncFrameDecoder;
  readonly #header = emptyPppHeader();
  readonly packets: Uint8Array[] = [];
  /** Octets that came in and were not escaped. */
  readonly controlCharacters = new Set<number>();
  #now: Instant = 0;

  constructor(line: SimulatedLineEnd, random: RandomSource) {
    this.line = line;
    this.link = new PppLink(
      {
        medium: 'serial',
        mru: 1500,
        ipcp: { role: 'server', assign: () => ({ localAddress: '100.64.0.1', peerAddress: '100.64.7.9', dns: [] }) },
      },
      random,
    );
    this.#decoder = new AsyncFrameDecoder(2000, (buffer, length) => this.#frame(buffer, length));
    this.#decoder.accm = 0;
    this.link.start(0);
  }

  /** What is due by now, what has come in, and what is to go out. */
  turn(now: Instant): void {
    this.#now = now;
    const into = new Uint8Array(4096);
    for (let length = this.line.isLost ? -1 : this.line.read(into); length > 0; length = this.line.read(into)) {
      for (const octet of into.subarray(0, length)) if (octet < 0x20) this.controlCharacters.add(octet);
      this.#decoder.push(into, 0, length);
    }
    this.link.tick(now);
    for (let output = this.link.poll(); output !== undefined; output = this.link.poll()) {
      if (output.kind === 'send') this.send(Uint8Array.of(0xff, 0x03, ...output.frame));
      else if (output.kind === 'link-up') this.#encoder.accm = output.peerAccm ?? 0;
    }
  }

  send(ppp: Uint8Array): void {
    if (this.line.isLost) return;
    const coded = new Uint8Array(longestCoding(ppp.length));
    this.line.write(coded.subarray(0, this.#encoder.write(ppp, 0, ppp.length, coded, 0)));
  }

  #frame(buffer: Uint8Array, length: number): void {
    if (!readPppHeader(buffer, 0, length, this.#header)) return;
    const { protocol, offset } = this.#header;
    const information = buffer.slice(offset, length);
    if (protocol === 0x0021) this.packets.push(information);
    else this.link.receive(this.#now, Uint8Array.of(protocol >> 8, protocol & 0xff, ...information));
  }
}

/** Connects at once, or refuses. */
export class SerialLines implements PppLineSource {
  readonly #lines: SimulatedOctetLines;
  readonly #random: RandomSource;
  readonly far: FarEnd[] = [];
  /** Ends of those that stand. */
  readonly ends: ((failure: Failure) => void)[] = [];
  refusal: Failure | undefined;
  hungUp = 0;

  constructor(lines: SimulatedOctetLines, random: RandomSource) {
    this.#lines = lines;
    this.#random = random;
  }

  async dial(): Promise<PppLine> {
    if (this.refusal !== undefined) throw new PppLineError(this.refusal);
    const [near, far] = this.#lines.pair(64 * 1024);
    this.far.push(new FarEnd(far, this.#random));
    const ended = Promise.withResolvers<Failure>();
    this.ends.push(ended.resolve);
    return {
      carrier: { kind: 'serial', descriptor: near.handle },
      mru: 1500,
      peer: 'CONNECT 150000000',
      ended: ended.promise,
      hangUp: async () => {
        this.hungUp += 1;
      },
    };
  }
}
