/** Identification payloads (RFC 2407 section 4.6.2) and NAT-OA payloads (RFC 3947 section 5.2). */
import { ByteReader, ByteWriter, DecodeError, EncodeError, hex, utf8Bytes } from '../../bytes.ts';
import {
  addressOctets,
  addressText,
  isAddressOctets,
  lastOfPrefix,
  maskLength,
  prefixMask,
} from '../address-octets.ts';
import type { IkeIdentity, TrafficSelector } from '../ike-types.ts';
import { IdType } from './numbers.ts';

/** Longest name or key id, in octets. */
const MAX_NAME_OCTETS = 256;

const MAX_PORT = 65535;

export interface IdPayload {
  /** One of `IdType`, or another one. */
  readonly type: number;
  /** IP protocol; 0 for any. */
  readonly protocol: number;
  /** 0 for any. */
  readonly port: number;
  readonly data: Uint8Array;
}

/** @throws DecodeError when it is too short. */
export function decodeId(body: Uint8Array): IdPayload {
  const reader = new ByteReader(body);
  const type = reader.u8('ID Type');
  const protocol = reader.u8('Protocol ID');
  const port = reader.u16('Port');
  return { type, protocol, port, data: reader.rest() };
}

export function encodeId({ type, protocol, port, data }: IdPayload): Uint8Array {
  return new ByteWriter(4 + data.length).u8(type).u8(protocol).u16(port).bytes(data).finish();
}

/** Phase 1: protocol and port 0, as RFC 3947 section 4 wants it. @throws EncodeError when an address is none. */
export function idOfIdentity(identity: IkeIdentity): IdPayload {
  const id = (type: number, data: Uint8Array): IdPayload => ({ type, protocol: 0, port: 0, data });
  switch (identity.kind) {
    case 'ipv4':
      return id(IdType.ipv4Address, addressOctets(identity.value));
    case 'ipv6':
      return id(IdType.ipv6Address, addressOctets(identity.value));
    case 'fqdn':
      return id(IdType.fqdn, utf8Bytes(identity.value));
    case 'email':
      return id(IdType.userFqdn, utf8Bytes(identity.value));
    case 'key-id':
      return id(IdType.keyId, identity.value);
    case 'dn':
      return id(IdType.derAsn1Dn, identity.value);
  }
}

/**
 * Who a peer says it is. A type without a kind of its own, such as ID_DER_ASN1_GN, is a `key-id` of the payload's
 * octets, type included, so that it can be shown and compared.
 * @throws DecodeError when an address has a wrong length or a name is too long.
 */
export function identityOfId({ type, data }: IdPayload): IkeIdentity {
  switch (type) {
    case IdType.ipv4Address:
    case IdType.ipv6Address:
      if (data.length !== (type === IdType.ipv4Address ? 4 : 16)) throw new DecodeError('address of a wrong length');
      return { kind: type === IdType.ipv4Address ? 'ipv4' : 'ipv6', value: addressText(data) };
    case IdType.fqdn:
      return { kind: 'fqdn', value: nameText(data) };
    case IdType.userFqdn:
      return { kind: 'email', value: nameText(data) };
    case IdType.keyId:
      return { kind: 'key-id', value: keyOctets(data) };
    case IdType.derAsn1Dn:
      return { kind: 'dn', value: keyOctets(data) };
    default:
      return { kind: 'key-id', value: keyOctets(Uint8Array.of(type, ...keyOctets(data))) };
  }
}

/** Whether IKEv1 has a way to say this: one port or all of them. */
export function canBeId(selector: TrafficSelector): boolean {
  const onePort = selector.firstPort === selector.lastPort;
  return onePort || (selector.firstPort === 0 && selector.lastPort === MAX_PORT);
}

/** Quick Mode: an address, a prefix or a range. @throws EncodeError when it is none of these. */
export function idOfSelector(selector: TrafficSelector): IdPayload {
  if (!canBeId(selector)) throw new EncodeError('IKEv1 knows one port or all of them, no range');
  const port = selector.firstPort === selector.lastPort ? selector.firstPort : 0;
  const first = addressOctets(selector.firstAddress);
  const last = addressOctets(selector.lastAddress);
  if (first.length !== last.length) throw new EncodeError('a range of addresses of two families');
  const { protocol } = selector;
  const ipv6 = first.length === 16;
  if (hex(first) === hex(last)) {
    return { type: ipv6 ? IdType.ipv6Address : IdType.ipv4Address, protocol, port, data: first };
  }
  const length = maskLength(first, last);
  const second = length === undefined ? last : prefixMask(first.length, length);
  const subnet = ipv6 ? IdType.ipv6Subnet : IdType.ipv4Subnet;
  const range = ipv6 ? IdType.ipv6Range : IdType.ipv4Range;
  const data = Uint8Array.of(...first, ...second);
  return { type: length === undefined ? range : subnet, protocol, port, data };
}

/**
 * What a Quick Mode ID covers; `undefined` when it is no address (names are legal there, and some send them).
 * @throws DecodeError when a length is wrong, a mask has holes or a range is upside down.
 */
export function selectorOfId({ type, protocol, port, data }: IdPayload): TrafficSelector | undefined {
  const ends = addressesOfId(type, data);
  if (ends === undefined) return undefined;
  const [first, last] = ends;
  if (hex(first) > hex(last)) throw new DecodeError('range of addresses upside down');
  return {
    protocol,
    firstPort: port,
    lastPort: port === 0 ? MAX_PORT : port,
    firstAddress: addressText(first),
    lastAddress: addressText(last),
  };
}

function addressesOfId(type: number, data: Uint8Array): readonly [Uint8Array, Uint8Array] | undefined {
  const octets = ADDRESS_OCTETS.get(type);
  if (octets === undefined) return undefined;
  const reader = new ByteReader(data);
  const first = reader.bytes(octets, 'address');
  if (type === IdType.ipv4Address || type === IdType.ipv6Address) return [first, first];
  const second = reader.bytes(octets, 'mask or last address');
  if (type === IdType.ipv4Range || type === IdType.ipv6Range) return [first, second];
  return [first.map((octet, at) => octet & (second[at] ?? 0)), lastOfPrefix(first, second)];
}

const ADDRESS_OCTETS: ReadonlyMap<number, number> = new Map([
  [IdType.ipv4Address, 4],
  [IdType.ipv4Subnet, 4],
  [IdType.ipv4Range, 4],
  [IdType.ipv6Address, 16],
  [IdType.ipv6Subnet, 16],
  [IdType.ipv6Range, 16],
]);

/** The address in a NAT-OA payload. @throws DecodeError when it is none. */
export function decodeNatOa(body: Uint8Array): string {
  const { type, data } = decodeId(body);
  const known = type === IdType.ipv4Address || type === IdType.ipv6Address;
  if (!known || !isAddressOctets(data)) throw new DecodeError('NAT-OA without address');
  return addressText(data);
}

/** @throws EncodeError when `address` is none. */
export function encodeNatOa(address: string): Uint8Array {
  const data = addressOctets(address);
  const type = data.length === 4 ? IdType.ipv4Address : IdType.ipv6Address;
  return encodeId({ type, protocol: 0, port: 0, data });
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Octets that are no UTF-8 are taken as Latin-1, so that no two names become one. */
function nameText(data: Uint8Array): string {
  const octets = keyOctets(data);
  try {
    return utf8.decode(octets);
  } catch {
    return Buffer.from(octets).toString('latin1');
  }
}

function keyOctets(data: Uint8Array): Uint8Array {
  if (data.length > MAX_NAME_OCTETS + 1) throw new DecodeError(`identity of ${data.length} octets`);
  return data.slice();
}
