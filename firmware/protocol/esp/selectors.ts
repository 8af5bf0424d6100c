/**
 * Selectors of an SA (RFC 4301 section 4.4.1.1, RFC 7296 section 3.13): which packets it may carry. What comes out of
 * an SA is held against them before anybody gets it (RFC 4301 section 5.2, step 4).
 */
import { EncodeError } from '../bytes.ts';
import { parseIpv4, parseIpv6 } from '../ip-address.ts';
import { NO_PORT } from './ip-packet.ts';
import { putU16, putU32, u8 } from './octets.ts';

/** A range of addresses, protocols and ports. IKE's traffic selectors are such. */
export interface Selector {
  /** IP protocol, 0 for any. */
  readonly protocol: number;
  /** 0..65535 for any; first 65535 and last 0 for OPAQUE: packets whose port cannot be seen. */
  readonly firstPort: number;
  readonly lastPort: number;
  /** Inclusive; both of one family. */
  readonly firstAddress: string;
  readonly lastAddress: string;
}

/** A packet as its selectors see it; `local` is this machine's side of the SA. One object serves for all packets. */
export interface Flow {
  /** The buffers in which the addresses lie, in network order, and where. */
  localBytes: Uint8Array;
  localAt: number;
  remoteBytes: Uint8Array;
  remoteAt: number;
  /** 4 or 16. */
  addressOctets: number;
  protocol: number;
  /** 0..65535, or -1 when it cannot be seen. */
  localPort: number;
  remotePort: number;
}

/** A fresh flow. */
export function newFlow(): Flow {
  const none = new Uint8Array();
  return {
    localBytes: none,
    localAt: 0,
    remoteBytes: none,
    remoteAt: 0,
    addressOctets: 4,
    protocol: 0,
    localPort: NO_PORT,
    remotePort: NO_PORT,
  };
}

interface Range {
  readonly protocol: number;
  readonly firstPort: number;
  readonly lastPort: number;
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

export class SaSelectors {
  readonly #local: readonly Range[];
  readonly #remote: readonly Range[];

  /** @throws EncodeError when an address cannot be read or the two of a range are of different families. */
  constructor(local: readonly Selector[], remote: readonly Selector[]) {
    this.#local = local.map(rangeOf);
    this.#remote = remote.map(rangeOf);
  }

  /** Whether either side of the flow lies in one of the ranges for that side. */
  match(flow: Flow): boolean {
    return (
      matchesOne(this.#local, flow, flow.localBytes, flow.localAt, flow.localPort) &&
      matchesOne(this.#remote, flow, flow.remoteBytes, flow.remoteAt, flow.remotePort)
    );
  }
}

function matchesOne(ranges: readonly Range[], flow: Flow, bytes: Uint8Array, at: number, port: number): boolean {
  for (const range of ranges) {
    if (
      (range.protocol === 0 || range.protocol === flow.protocol) &&
      matchesPort(range, port) &&
      range.first.length === flow.addressOctets &&
      compare(bytes, at, range.first) >= 0 &&
      compare(bytes, at, range.last) <= 0
    ) {
      return true;
    }
  }
  return false;
}

/** RFC 4301 section 4.4.1.1: a port that cannot be seen matches ANY and OPAQUE only. */
function matchesPort(range: Range, port: number): boolean {
  if (range.firstPort === 0 && range.lastPort === 0xffff) return true;
  if (port === NO_PORT) return range.firstPort === 0xffff && range.lastPort === 0;
  return port >= range.firstPort && port <= range.lastPort;
}

/** Below, at or above zero as the address at `bytes[at]` is below, equal to or above `other`. */
function compare(bytes: Uint8Array, at: number, other: Uint8Array): number {
  for (let i = 0; i < other.length; i++) {
    const difference = u8(bytes, at + i) - u8(other, i);
    if (difference !== 0) return difference;
  }
  return 0;
}

function rangeOf(selector: Selector): Range {
  const first = addressOctets(selector.firstAddress);
  const last = addressOctets(selector.lastAddress);
  if (first.length !== last.length) throw new EncodeError('a selector ranges from one address family into the other');
  const { protocol, firstPort, lastPort } = selector;
  return { protocol, firstPort, lastPort, first, last };
}

/** The 4 or 16 octets of an address in text form. @throws EncodeError when it is none. */
export function addressOctets(text: string): Uint8Array {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) {
    const octets = new Uint8Array(4);
    putU32(octets, 0, ipv4);
    return octets;
  }
  const groups = parseIpv6(text);
  if (groups === undefined) throw new EncodeError(`${text} is no IP address`);
  const octets = new Uint8Array(16);
  for (const [index, group] of groups.entries()) putU16(octets, index * 2, group);
  return octets;
}
