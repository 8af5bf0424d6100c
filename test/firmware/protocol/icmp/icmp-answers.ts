/** What hosts and routers send back to an echo request. */
import { onesComplementSum } from '../../../../firmware/protocol/esp/internet-checksum.ts';

type Family = 4 | 6;

export function icmpReply(family: Family, request: Uint8Array): Uint8Array {
  return summed(family, Uint8Array.of(family === 4 ? 0 : 129, 0, 0, 0, ...request.slice(4)));
}

/** An error that quotes a packet with `request` in it. @param word behind the checksum: an MTU. */
export function icmpError(family: Family, request: Uint8Array, type: number, code: number, word = 0): Uint8Array {
  const header = new Uint8Array(family === 4 ? 20 : 40);
  if (family === 4) header.set([0x45, 0, 0, 20 + request.length, 0, 0, 0, 0, 1, 1]);
  else header.set([0x60, 0, 0, 0, 0, request.length, 58, 1]);
  const words = [(word >>> 24) & 0xff, (word >>> 16) & 0xff, (word >>> 8) & 0xff, word & 0xff];
  return summed(family, Uint8Array.of(type, code, 0, 0, ...words, ...header, ...request));
}

function summed(family: Family, message: Uint8Array): Uint8Array {
  if (family === 6) return message;
  message.set([0, 0], 2);
  new DataView(message.buffer).setUint16(2, ~onesComplementSum(message, 0, message.length) & 0xffff);
  return message;
}
