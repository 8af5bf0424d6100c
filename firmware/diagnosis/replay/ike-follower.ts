/** IKE and ESP of a capture: who negotiates with whom, and whether what was negotiated carries anything. */
import { muteChannel } from '../../vpn/l2tp/client-failures.ts';
import { BoundedMap } from '../decode/bounded-map.ts';
import type { DecodedMessage } from '../decode/decoded.ts';
import type { Notes } from '../notes.ts';
import { pairOf, textOf } from './fields.ts';
import { Ikev1Sa } from './ikev1-sa.ts';
import { Ikev2Sa } from './ikev2-sa.ts';

/** SAs that are followed at a time. */
const MAX_SAS = 512;
/** Pairs of addresses whose ESP packets are counted. */
const MAX_PAIRS = 1024;
/** ESP packets one way, and none the other, from which on it is no chance. */
const MUTE_PACKETS = 3;

const IKE_PORT = 500;

interface Flow {
  readonly first: string;
  readonly to: string;
  udp: boolean;
  forth: number;
  back: number;
}

export class IkeFollower {
  readonly #notes: Notes;
  /** By version and the initiator's SPI or cookie. */
  readonly #sas = new BoundedMap<string, Ikev1Sa | Ikev2Sa>(MAX_SAS, (sa) => sa.end(this.#now));
  /** The last SA that was begun from an address. */
  readonly #dialledBy = new BoundedMap<string, Ikev1Sa | Ikev2Sa>(MAX_SAS);
  /** The last SA between two addresses. */
  readonly #lastOf = new BoundedMap<string, Ikev1Sa | Ikev2Sa>(MAX_PAIRS);
  readonly #esp = new BoundedMap<string, Flow>(MAX_PAIRS);
  /** Ports other than 500 by SA and address. */
  readonly #ports = new BoundedMap<string, number>(2 * MAX_SAS);

  #now = 0;

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  receive(message: DecodedMessage): void {
    this.#now = Math.max(this.#now, message.time);
    if (message.protocol === 'esp') {
      this.#espPacket(message);
      return;
    }
    const { protocol, fields } = message;
    const spi = textOf(fields, protocol === 'ikev1' ? 'initiatorCookie' : 'initiatorSpi');
    if (spi === '') return;
    const key = `${protocol} ${spi}`;
    let sa = this.#sas.get(key);
    if (sa === undefined) {
      sa = protocol === 'ikev1' ? new Ikev1Sa(this.#notes, message) : new Ikev2Sa(this.#notes, message);
      this.#sas.set(key, sa);
      this.#dialledBy.set(message.source.address, sa);
    }
    this.#lastOf.set(pairOf(message), sa);
    sa.receive(message);
    this.#notePort(key, message);
  }

  /** Whether the two ends of a message have an IKE SA that stands. */
  protects(message: DecodedMessage): boolean {
    const sa = this.#lastOf.get(pairOf(message));
    return sa?.isUp === true;
  }

  /** An ICMP error that came to an address. @param code of "destination unreachable" */
  icmp(to: string, code: number): void {
    if (code !== 3) return;
    this.#dialledBy.get(to)?.pathError('ECONNREFUSED');
  }

  /** The capture ends. @returns whether the last SA was up */
  end(now: number): 'up' | 'failed' | 'none' {
    let last: 'up' | 'failed' | 'none' = 'none';
    for (const sa of this.#sas.values()) {
      sa.end(now);
      last = sa.isUp ? 'up' : 'failed';
    }
    for (const { to, udp, forth, back } of this.#esp.values()) {
      if (back > 0 && forth > 0) this.#notes.ok('esp', `ESP goes both ways, ${forth} and ${back} packets`);
      else if (last === 'up' && forth + back >= MUTE_PACKETS) {
        this.#notes.seen('esp', `${forth + back} ESP packets to ${to}, and none from there`);
        this.#notes.failure(muteChannel(to, udp));
        last = 'failed';
      }
    }
    return last;
  }

  #espPacket(message: DecodedMessage): void {
    const { source, destination } = message;
    const key = pairOf(message);
    const flow = this.#esp.get(key) ?? {
      first: source.address,
      to: destination.address,
      udp: false,
      forth: 0,
      back: 0,
    };
    this.#esp.set(key, flow);
    flow.udp ||= destination.port !== 0;
    if (source.address === flow.first) flow.forth += 1;
    else flow.back += 1;
  }

  #notePort(sa: string, { source, frame }: DecodedMessage): void {
    if (source.port === IKE_PORT) return;
    const key = `${sa} ${source.address}`;
    const before = this.#ports.get(key);
    this.#ports.set(key, source.port);
    if (before === undefined || before === source.port) return;
    const seen = `${source.address} came from port ${before} before, and from port ${source.port} at frame ${frame}`;
    this.#notes.sign('nat-mapping-lost', seen);
  }
}
