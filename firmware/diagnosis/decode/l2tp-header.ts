/** The header of any L2TPv2 message, control or data, with any combination of its bits (RFC 2661 section 3.1). */
import { HeaderBit, VERSION_MASK } from '../../protocol/l2tp/header.ts';
import { FieldError, FieldReader, type Octets, slice } from './field-reader.ts';

export interface L2tpHeader {
  readonly control: boolean;
  /** L bit: the Length field is there. */
  readonly announced: boolean;
  readonly tunnelId: number;
  readonly sessionId: number;
  /** Absent without the S bit. */
  readonly ns?: number;
  readonly nr?: number;
  readonly priority: boolean;
  /** Offset Size; absent without the O bit. */
  readonly offsetSize?: number;
  /** Octets of the header, padding of the offset included. */
  readonly length: number;
  /** What stands behind it: AVPs, or a PPP frame. */
  readonly payload: Octets;
}

/** Ver, whatever the message: 2 for L2TPv2, 3 for L2TPv3, 1 for L2F. */
export function versionOf({ bytes }: Octets): number {
  return (bytes[1] ?? 0) & VERSION_MASK;
}

/** @throws FieldError when a field is missing, or the Length is not possible. */
export function readL2tpHeader(octets: Octets): L2tpHeader {
  const reader = new FieldReader(octets);
  const bits = reader.u16('L2TP header');
  const control = (bits & HeaderBit.T) !== 0;
  const there = octets.bytes.length + octets.missing;
  const announced = (bits & HeaderBit.L) !== 0;
  const total = announced ? reader.u16('Length') : there;
  const tunnelId = reader.u16('Tunnel ID');
  const sessionId = reader.u16('Session ID');
  const numbers = (bits & HeaderBit.S) === 0 ? {} : { ns: reader.u16('Ns'), nr: reader.u16('Nr') };
  const offset = (bits & HeaderBit.O) === 0 ? {} : { offsetSize: reader.u16('Offset Size') };
  reader.bytes(offset.offsetSize ?? 0, 'Offset Pad');
  const length = reader.offset;
  if (total > there) throw new FieldError(2, 'Length', `${total} octets announced, the datagram has ${there}`);
  if (total < length) throw new FieldError(2, 'Length', `${total} octets, less than the header`);
  const priority = (bits & HeaderBit.P) !== 0;
  const payload = slice(octets, length, total);
  return { control, announced, tunnelId, sessionId, ...numbers, priority, ...offset, length, payload };
}
