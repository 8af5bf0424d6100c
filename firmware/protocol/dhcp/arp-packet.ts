/** ARP over Ethernet (RFC 826). */
import { ByteReader, ByteWriter, DecodeError } from '../bytes.ts';

export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV4 = 0x0800;

const ETHERNET = 1;
const REQUEST = 1;
const REPLY = 2;

export interface ArpPacket {
  readonly operation: 'request' | 'reply';
  /** 6 octets each. */
  readonly senderMac: Uint8Array;
  readonly targetMac: Uint8Array;
  /** Unsigned. */
  readonly senderAddress: number;
  readonly targetAddress: number;
}

export function encodeArp({ operation, senderMac, senderAddress, targetMac, targetAddress }: ArpPacket): Uint8Array {
  return new ByteWriter(28)
    .u16(ETHERNET)
    .u16(ETHERTYPE_IPV4)
    .u8(6)
    .u8(4)
    .u16(operation === 'request' ? REQUEST : REPLY)
    .bytes(senderMac)
    .u32(senderAddress)
    .bytes(targetMac)
    .u32(targetAddress)
    .finish();
}

/** @throws DecodeError for what is no request and no reply about IPv4 over Ethernet. */
export function decodeArp(bytes: Uint8Array): ArpPacket {
  const reader = new ByteReader(bytes);
  const kinds = [reader.u16('hardware'), reader.u16('protocol'), reader.u8('length'), reader.u8('length')];
  if (kinds.join() !== [ETHERNET, ETHERTYPE_IPV4, 6, 4].join()) throw new DecodeError('no ARP of IPv4 over Ethernet');
  const operation = reader.u16('operation');
  if (operation !== REQUEST && operation !== REPLY) throw new DecodeError(`ARP operation ${operation}`);
  return {
    operation: operation === REQUEST ? 'request' : 'reply',
    senderMac: reader.bytes(6, 'sender').slice(),
    senderAddress: reader.u32('sender'),
    targetMac: reader.bytes(6, 'target').slice(),
    targetAddress: reader.u32('target'),
  };
}
