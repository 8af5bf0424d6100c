/**
 * Asks an L2TP server whether it answers: `node l2tp-probe.ts ADDRESS SECONDS`. Sends an SCCRQ (RFC 2661, 6.1) until an
 * SCCRP comes, takes the tunnel down again (StopCCN, 6.4), prints the server's host name and exits with 0; or
 * exits with 1 when the time is up.
 */

import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';

const PORT = 1701;
const RETRY_MS = 100;
const MESSAGE = { sccrq: 1, sccrp: 2, stopCcn: 4 } as const;
const AVP = {
  messageType: 0,
  resultCode: 1,
  protocolVersion: 2,
  framing: 3,
  hostName: 7,
  assignedTunnelId: 9,
} as const;
const HEADER_OCTETS = 12;

/** A mandatory AVP of the IETF (RFC 2661, 4.1). */
function avp(type: number, value: Buffer): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(0x8000 | (6 + value.length), 0);
  head.writeUInt16BE(type, 4);
  return Buffer.concat([head, value]);
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

/** A control message (RFC 2661, 3.1): T, L and S bits, version 2. */
function control(tunnelId: number, ns: number, nr: number, avps: readonly Buffer[]): Buffer {
  const body = Buffer.concat(avps);
  return Buffer.concat([...[0xc802, HEADER_OCTETS + body.length, tunnelId, 0, ns, nr].map(uint16), body]);
}

/** Host name and tunnel id of an SCCRP; `undefined` for anything else. */
function readSccrp(message: Buffer): { hostName: string; tunnelId: number } | undefined {
  const values = new Map<number, Buffer>();
  for (let at = HEADER_OCTETS; at + 6 <= message.length; ) {
    const length = message.readUInt16BE(at) & 0x3ff;
    if (length < 6 || at + length > message.length) return undefined;
    values.set(message.readUInt16BE(at + 4), message.subarray(at + 6, at + length));
    at += length;
  }
  const tunnelId = values.get(AVP.assignedTunnelId);
  if (!values.get(AVP.messageType)?.equals(uint16(MESSAGE.sccrp)) || tunnelId?.length !== 2) return undefined;
  return { hostName: values.get(AVP.hostName)?.toString() ?? '', tunnelId: tunnelId.readUInt16BE() };
}

function probe(address: string, seconds: number): void {
  const socket = createSocket('udp4');
  const tunnelId = uint16(randomInt(1, 65_536));
  const sccrq = control(0, 0, 0, [
    avp(AVP.messageType, uint16(MESSAGE.sccrq)),
    avp(AVP.protocolVersion, Buffer.from([1, 0])),
    avp(AVP.framing, Buffer.from([0, 0, 0, 3])),
    avp(AVP.hostName, Buffer.from('probe')),
    avp(AVP.assignedTunnelId, tunnelId),
  ]);
  const ask = () => socket.send(sccrq, PORT, address, () => {}); // refused while nobody listens: asked again
  const retry = setInterval(ask, RETRY_MS);
  const giveUp = setTimeout(() => process.exit(1), seconds * 1000);
  socket.on('error', () => {});
  socket.on('message', (message, from) => {
    const sccrp = readSccrp(message);
    if (sccrp === undefined) return;
    clearInterval(retry);
    clearTimeout(giveUp);
    console.log(sccrp.hostName);
    const stopCcn = control(sccrp.tunnelId, 1, 1, [
      avp(AVP.messageType, uint16(MESSAGE.stopCcn)),
      avp(AVP.assignedTunnelId, tunnelId),
      avp(AVP.resultCode, uint16(1)),
    ]);
    socket.send(stopCcn, from.port, from.address, () => socket.close());
    socket.removeAllListeners('message');
  });
  ask();
}

if (import.meta.main) {
  const [, , address = '', seconds = '10'] = process.argv;
  probe(address, Number(seconds));
}
