/** Traffic selectors (RFC 7296 sections 2.9 and 3.13): on the wire, and as sets that can be narrowed. */
import { ByteReader, type ByteWriter, DecodeError } from '../../bytes.ts';
import { addressOctets, addressText } from '../address-octets.ts';
import type { TrafficSelector } from '../ike-types.ts';
import { TS_TYPE } from './numbers.ts';

/** Selectors in one payload that are read, and kept after narrowing. */
export const MAX_SELECTORS = 64;

/** Octets of the header, ports included, before the addresses. */
const FIXED_OCTETS = 8;

/**
 * Selectors of a kind that nobody knows are left out; the others stay in order.
 * @throws DecodeError
 */
export function decodeSelectors(reader: ByteReader): readonly TrafficSelector[] {
  const count = reader.u8('Number of TSs');
  if (count > MAX_SELECTORS) throw new DecodeError(`${count} traffic selectors`);
  reader.skip(3, 'reserved');
  const selectors: TrafficSelector[] = [];
  for (let index = 0; index < count; index += 1) {
    const type = reader.u8('TS Type');
    const protocol = reader.u8('IP Protocol ID');
    const length = reader.u16('Selector Length');
    if (length < FIXED_OCTETS) throw new DecodeError(`Selector Length ${length}`);
    const body = new ByteReader(reader.bytes(length - 4, 'traffic selector'));
    const octets = type === TS_TYPE.ipv4 ? 4 : type === TS_TYPE.ipv6 ? 16 : undefined;
    if (octets === undefined) continue;
    selectors.push({
      protocol,
      firstPort: body.u16('Start Port'),
      lastPort: body.u16('End Port'),
      firstAddress: addressText(body.bytes(octets, 'Starting Address')),
      lastAddress: addressText(body.bytes(octets, 'Ending Address')),
    });
  }
  return selectors;
}

export function encodeSelectors(writer: ByteWriter, selectors: readonly TrafficSelector[]): void {
  writer.u8(selectors.length).u8(0).u16(0);
  for (const { protocol, firstPort, lastPort, firstAddress, lastAddress } of selectors) {
    const first = addressOctets(firstAddress);
    writer.u8(first.length === 4 ? TS_TYPE.ipv4 : TS_TYPE.ipv6).u8(protocol);
    writer.u16(FIXED_OCTETS + 2 * first.length);
    writer.u16(firstPort).u16(lastPort).bytes(first).bytes(addressOctets(lastAddress));
  }
}

/** All of one family. */
export function anySelector(family: 4 | 6): TrafficSelector {
  return {
    protocol: 0,
    firstPort: 0,
    lastPort: 65535,
    firstAddress: family === 4 ? '0.0.0.0' : '::',
    lastAddress: family === 4 ? '255.255.255.255' : 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  };
}

/** One address. @param port 0 for any. */
export function hostSelector(address: string, protocol: number, port: number): TrafficSelector {
  return {
    protocol,
    firstPort: port,
    lastPort: port === 0 ? 65535 : port,
    firstAddress: address,
    lastAddress: address,
  };
}

/** The same protocols and ports at one other address: what a NAT, or transport mode, makes of them. */
export function atAddress(selectors: readonly TrafficSelector[], address: string): readonly TrafficSelector[] {
  return unique(selectors.map((selector) => ({ ...selector, firstAddress: address, lastAddress: address })));
}

/**
 * What is in both; empty when nothing is. The order is that of `offered`, whose first may stand for a packet at hand.
 */
export function narrow(
  offered: readonly TrafficSelector[],
  allowed: readonly TrafficSelector[],
): readonly TrafficSelector[] {
  const common: TrafficSelector[] = [];
  for (const one of offered) {
    for (const other of allowed) {
      const both = intersect(one, other);
      if (both !== undefined && common.length < MAX_SELECTORS) common.push(both);
    }
  }
  return unique(common);
}

/** Whether each of `inner` lies within one of `outer`. */
export function isWithin(inner: readonly TrafficSelector[], outer: readonly TrafficSelector[]): boolean {
  return inner.every((one) =>
    outer.some((other) => {
      const both = intersect(one, other);
      return both !== undefined && same(both, one);
    }),
  );
}

/** `192.0.2.0-192.0.2.255`, `192.0.2.1 protocol 17 port 1701`. */
export function selectorText({ protocol, firstPort, lastPort, firstAddress, lastAddress }: TrafficSelector): string {
  const addresses = firstAddress === lastAddress ? firstAddress : `${firstAddress}-${lastAddress}`;
  const protocols = protocol === 0 ? '' : ` protocol ${protocol}`;
  if (firstPort === 0 && lastPort === 65535) return `${addresses}${protocols}`;
  return `${addresses}${protocols} port ${firstPort === lastPort ? firstPort : `${firstPort}-${lastPort}`}`;
}

/** Selectors shown in a sentence; a stranger may send dozens. */
const SHOWN = 4;

/** As {@link selectorText}, with commas between. */
export function selectorsText(selectors: readonly TrafficSelector[]): string {
  if (selectors.length === 0) return 'nothing';
  const more = selectors.length > SHOWN ? ` and ${selectors.length - SHOWN} more` : '';
  return `${selectors.slice(0, SHOWN).map(selectorText).join(', ')}${more}`;
}

function intersect(a: TrafficSelector, b: TrafficSelector): TrafficSelector | undefined {
  if (a.protocol !== 0 && b.protocol !== 0 && a.protocol !== b.protocol) return undefined;
  const [aFirst, aLast, bFirst, bLast] = [a.firstAddress, a.lastAddress, b.firstAddress, b.lastAddress].map(sortable);
  if (aFirst === undefined || aLast === undefined || bFirst === undefined || bLast === undefined) return undefined;
  if (aFirst.length !== bFirst.length) return undefined;
  const first = aFirst > bFirst ? a.firstAddress : b.firstAddress;
  const last = aLast < bLast ? a.lastAddress : b.lastAddress;
  if ((aFirst > bFirst ? aFirst : bFirst) > (aLast < bLast ? aLast : bLast)) return undefined;
  const firstPort = Math.max(a.firstPort, b.firstPort);
  const lastPort = Math.min(a.lastPort, b.lastPort);
  if (firstPort > lastPort) return undefined;
  return { protocol: a.protocol || b.protocol, firstPort, lastPort, firstAddress: first, lastAddress: last };
}

/** Octets in hexadecimal: within a family they compare as the addresses do. */
function sortable(address: string): string {
  return Buffer.from(addressOctets(address)).toString('hex');
}

function same(a: TrafficSelector, b: TrafficSelector): boolean {
  return (
    a.protocol === b.protocol &&
    a.firstPort === b.firstPort &&
    a.lastPort === b.lastPort &&
    a.firstAddress === b.firstAddress &&
    a.lastAddress === b.lastAddress
  );
}

/** Without those that another one holds already. */
function unique(selectors: readonly TrafficSelector[]): readonly TrafficSelector[] {
  return selectors.filter(
    (one, at) =>
      !selectors.some((other, index) => index !== at && isWithin([one], [other]) && (index < at || !same(one, other))),
  );
}
