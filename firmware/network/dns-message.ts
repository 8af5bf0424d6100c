/** DNS messages (RFC 1035 section 4) as far as a stub resolver reads and writes them. */
import { type DecodedPacket, decode, encode, RECURSION_DESIRED } from 'dns-packet';
import { canonicalIp } from '../protocol/ip-address.ts';

export type QueryType = 'A' | 'AAAA';

export type DnsAnswer =
  /** NOERROR; empty when the name has no record of the type. */
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  /** NXDOMAIN. */
  | { readonly kind: 'no-such-name' }
  /** Any other response code, or an answer cut short: another server may do better. */
  | { readonly kind: 'refused'; readonly code: string };

/** Octets of a message's header. */
const HEADER_OCTETS = 12;

/** Largest answer that is read: what servers send over UDP at the very most. */
const MAX_OCTETS = 4096;

/** Aliases followed within an answer: no sane zone has more, and a loop must end. */
const MAX_ALIASES = 16;

/** Addresses taken from one answer. */
const MAX_ADDRESSES = 16;

/** Response codes by number (RFC 1035 section 4.1.1). */
const CODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'] as const;

/** A recursive query for one name, class IN. */
export function encodeQuery(id: number, name: string, type: QueryType): Uint8Array {
  return encode({ type: 'query', id, flags: RECURSION_DESIRED, questions: [{ name, type, class: 'IN' }] });
}

/**
 * @returns `undefined` when the message is no answer to that question: malformed, a query, another name, type or class.
 */
export function readAnswer(datagram: Uint8Array, name: string, type: QueryType): DnsAnswer | undefined {
  const packet = read(datagram);
  const question = packet?.questions?.[0];
  if (packet?.type !== 'response' || question === undefined || packet.questions?.length !== 1) return undefined;
  if (!sameName(question.name, name) || question.type !== type || (question.class ?? 'IN') !== 'IN') return undefined;
  const code = (datagram[3] ?? 0) & 0x0f;
  if (CODES[code] === 'NXDOMAIN') return { kind: 'no-such-name' };
  if (code !== 0) return { kind: 'refused', code: CODES[code] ?? `response code ${code}` };
  const addresses = follow(packet, name, type);
  if (addresses.length === 0 && packet.flag_tc) return { kind: 'refused', code: 'with an answer that was cut short' };
  return { kind: 'addresses', addresses };
}

/** The addresses of the name, or of what it is an alias of (RFC 1034 section 3.6.2), as far as the answer goes. */
function follow(packet: DecodedPacket, name: string, type: QueryType): string[] {
  const answers = packet.answers ?? [];
  let owner = name;
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases += 1) {
    const addresses = answers.flatMap((record) =>
      record.type === type && typeof record.data === 'string' && sameName(record.name, owner)
        ? usable(record.data)
        : [],
    );
    if (addresses.length > 0) return [...new Set(addresses)].slice(0, MAX_ADDRESSES);
    const alias = answers.find((record) => record.type === 'CNAME' && sameName(record.name, owner));
    if (alias?.type !== 'CNAME') return [];
    owner = alias.data;
  }
  return [];
}

/** Nothing that no server can have: filters answer with the unspecified address. */
function usable(text: string): string[] {
  const address = canonicalIp(text);
  if (address === undefined || address === '::') return [];
  const first = Number(address.split('.')[0]);
  return first === 0 || first >= 224 || address.startsWith('ff') ? [] : [address];
}

function read(datagram: Uint8Array): DecodedPacket | undefined {
  if (datagram.length < HEADER_OCTETS || datagram.length > MAX_OCTETS) return undefined;
  try {
    return decode(Buffer.from(datagram.buffer, datagram.byteOffset, datagram.byteLength));
  } catch {
    return undefined;
  }
}

/** Names compare without regard to case (RFC 1035 section 2.3.3). */
function sameName(a: string, b: string): boolean {
  return a.toLowerCase().replace(/\.$/, '') === b.toLowerCase().replace(/\.$/, '');
}
