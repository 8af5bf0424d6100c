/** Configuration payload (RFC 7296 section 3.15): an inner address and what belongs to it. */
import { type ByteReader, type ByteWriter, DecodeError } from '../../bytes.ts';
import { addressOctets, addressText } from '../address-octets.ts';
import type { AssignedConfiguration } from '../authentication.ts';
import { find, type Payload, type PayloadOf } from './payload.ts';

/** CFG Type. */
const CFG = { request: 1, reply: 2 } as const;

/** Attribute Types. */
const ATTRIBUTE = { ip4Address: 1, ip4Netmask: 2, ip4Dns: 3 } as const;

const IPV4_OCTETS = 4;
/** The highest bit of an Attribute Type is reserved. */
const TYPE_BITS = 0x7fff;
/** Attributes of one payload that are read, and servers that are used. */
const MAX_ATTRIBUTES = 64;
const MAX_DNS = 4;

export interface ConfigurationAttribute {
  readonly type: number;
  /** Empty: asked for. */
  readonly value: Uint8Array;
}

export interface ConfigurationBody {
  /** CFG Type. */
  readonly type: number;
  readonly attributes: readonly ConfigurationAttribute[];
}

/** @throws DecodeError when an attribute does not fit, or when there are more than 64. */
export function decodeConfiguration(reader: ByteReader): ConfigurationBody {
  const type = reader.u8('CFG Type');
  reader.skip(3, 'reserved');
  const attributes: ConfigurationAttribute[] = [];
  while (reader.remaining > 0) {
    if (attributes.length >= MAX_ATTRIBUTES) throw new DecodeError('too many configuration attributes');
    const attribute = reader.u16('Attribute Type') & TYPE_BITS;
    attributes.push({ type: attribute, value: reader.bytes(reader.u16('Length'), 'Value') });
  }
  return { type, attributes };
}

export function encodeConfiguration(writer: ByteWriter, { type, attributes }: ConfigurationBody): void {
  writer.u8(type).u8(0).u16(0);
  for (const { type: attribute, value } of attributes) writer.u16(attribute).u16(value.length).bytes(value);
}

/** As initiator: asks for an address and for who answers names there. */
export function configurationRequest(): PayloadOf<'CP'> {
  const value = new Uint8Array(0);
  const attributes = [ATTRIBUTE.ip4Address, ATTRIBUTE.ip4Dns].map((type) => ({ type, value }));
  return { kind: 'CP', type: CFG.request, attributes };
}

/** As initiator: what the responder gave; `undefined` when there is no address in it. */
export function assignedConfiguration(payloads: readonly Payload[]): AssignedConfiguration | undefined {
  const reply = find(payloads, 'CP');
  if (reply?.type !== CFG.reply) return undefined;
  const addresses = ipv4Values(reply, ATTRIBUTE.ip4Address).slice(0, 1);
  if (addresses.length === 0) return undefined;
  return { addresses, dns: ipv4Values(reply, ATTRIBUTE.ip4Dns).slice(0, MAX_DNS) };
}

/** As responder: whether the initiator asks for an IPv4 address, and for which one, if it says so. */
export function addressWish(payloads: readonly Payload[]): { readonly address: string | undefined } | undefined {
  const request = find(payloads, 'CP');
  if (request?.type !== CFG.request) return undefined;
  if (!request.attributes.some(({ type }) => type === ATTRIBUTE.ip4Address)) return undefined;
  const [address] = ipv4Values(request, ATTRIBUTE.ip4Address).filter((one) => one !== '0.0.0.0');
  return { address };
}

/** As responder: the answer. */
export function configurationReply({ addresses, dns }: AssignedConfiguration): PayloadOf<'CP'> {
  const ipv4 = addresses.filter((address) => !address.includes(':'));
  const attributes = [
    ...ipv4.map((address) => ({ type: ATTRIBUTE.ip4Address, value: addressOctets(address) })),
    ...ipv4.map(() => ({ type: ATTRIBUTE.ip4Netmask, value: addressOctets('255.255.255.255') })),
    ...dns
      .filter((address) => !address.includes(':'))
      .map((address) => ({ type: ATTRIBUTE.ip4Dns, value: addressOctets(address) })),
  ];
  return { kind: 'CP', type: CFG.reply, attributes };
}

/** Those of a length that is none are left out: a peer with an odd attribute is no reason to be without the others. */
function ipv4Values({ attributes }: ConfigurationBody, wanted: number): readonly string[] {
  return attributes.flatMap(({ type, value }) =>
    type === wanted && value.length === IPV4_OCTETS ? [addressText(value)] : [],
  );
}
