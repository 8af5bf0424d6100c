/**
 * A PPP server behind a simulated modem's CONNECT: our own machine as the server, RFC 1662 framing, and an answer to every ping. For
 * where no real pppd is wanted.
 */

import { AsyncFrameDecoder, AsyncFrameEncoder, longestCoding } from '../../../firmware/protocol/hdlc/async-framing.ts';
import type { RandomSource } from '../../../firmware/protocol/machine.ts';
import { emptyPppHeader, readPppHeader } from '../../../firmware/protocol/ppp/header.ts';
import { PppLink } from '../../../firmware/protocol/ppp/link.ts';
import type { Authenticator, Ipv4Assignment } from '../../../firmware/protocol/ppp/link-types.ts';
import type { Clock, Timer } from '../../../hal/clock.ts';
import type { Carrier, CarrierCall } from './simulated-modem.ts';

const PPP_IPV4 = 0x0021;
const LONGEST = 1_504;
const ICMP = 1;
const ECHO_REQUEST = 8;

export interface PppServerOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly assignment: Ipv4Assignment;
  /** Absent: nobody has to prove who he is. */
  readonly authenticator?: Authenticator;
}

export function pppServer(options: PppServerOptions): Carrier {
  return (toTerminal, hangUp) => new PppServerCall(options, toTerminal, hangUp);
}

class PppServerCall implements CarrierCall {
  readonly #clock: Clock;
  readonly #link: PppLink;
  readonly #decoder = new AsyncFrameDecoder(LONGEST, (buffer, length) => this.#frame(buffer, length));
  readonly #encoder = new AsyncFrameEncoder();
  readonly #header = emptyPppHeader();
  readonly #toTerminal: (octets: Uint8Array) => void;
  readonly #hangUp: () => void;
  #timer: Timer | undefined;
  #ended = false;

  constructor(options: PppServerOptions, toTerminal: (octets: Uint8Array) => void, hangUp: () => void) {
    const { clock, random, assignment, authenticator } = options;
    this.#clock = clock;
    this.#toTerminal = toTerminal;
    this.#hangUp = hangUp;
    this.#link = new PppLink(
      {
        mru: 1500,
        compressHeaders: false,
        ipcp: { role: 'server', assign: () => assignment },
        ...(authenticator !== undefined && { authenticator }),
      },
      random,
    );
    this.#link.start(clock.now());
    // Not within the CONNECT that begins it.
    this.#timer = clock.setTimer(clock.now(), () => this.#drain());
  }

  octets(octets: Uint8Array): void {
    this.#decoder.push(octets);
    this.#drain();
  }

  end(): void {
    this.#ended = true;
    this.#timer?.cancel();
  }

  #frame(buffer: Uint8Array, length: number): void {
    if (!readPppHeader(buffer, 0, length, this.#header)) return;
    const { protocol, offset } = this.#header;
    const information = buffer.slice(offset, length);
    if (protocol === PPP_IPV4) {
      const answer = echoReply(information);
      if (answer !== undefined) this.#send(Uint8Array.from([0, PPP_IPV4, ...answer]));
      return;
    }
    this.#link.receive(this.#clock.now(), Uint8Array.from([protocol >> 8, protocol & 0xff, ...information]));
  }

  #drain(): void {
    if (this.#ended) return;
    this.#link.tick(this.#clock.now());
    for (let output = this.#link.poll(); output !== undefined; output = this.#link.poll()) {
      if (output.kind === 'send') this.#send(output.frame);
      else if (output.kind === 'down') {
        this.#hangUp();
        return;
      }
    }
    this.#timer?.cancel();
    const deadline = this.#link.nextDeadline();
    if (deadline !== undefined) this.#timer = this.#clock.setTimer(deadline, () => this.#drain());
  }

  #send(bare: Uint8Array): void {
    const frame = Uint8Array.from([0xff, 0x03, ...bare]);
    const out = new Uint8Array(longestCoding(frame.length));
    this.#toTerminal(out.subarray(0, this.#encoder.write(frame, 0, frame.length, out, 0)));
  }
}

/** Of an ICMP Echo Request in IPv4, with addresses changed over; `undefined` for every other packet. */
export function echoReply(packet: Uint8Array): Uint8Array | undefined {
  const header = ((packet[0] ?? 0) & 15) * 4;
  if ((packet[0] ?? 0) >> 4 !== 4 || packet[9] !== ICMP || packet[header] !== ECHO_REQUEST) return undefined;
  const reply = Uint8Array.from(packet);
  reply.copyWithin(12, 16, 20);
  reply.set(packet.subarray(12, 16), 16);
  reply[header] = 0;
  // The sum goes up by what the type went down (RFC 1624).
  const sum = (((reply[header + 2] ?? 0) << 8) | (reply[header + 3] ?? 0)) + (ECHO_REQUEST << 8);
  const folded = (sum & 0xffff) + (sum >> 16);
  reply[header + 2] = folded >> 8;
  reply[header + 3] = folded & 0xff;
  return reply;
}
