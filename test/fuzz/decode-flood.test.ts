/** A capture in which every packet is of somebody else: the decoder's tables fill up, and its memory stays flat. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { FrameDecoder } from '../../firmware/diagnosis/decode/frame-decoder.ts';
import { ByteWriter, utf8Bytes } from '../../firmware/protocol/bytes.ts';
import { encodeControlMessage } from '../../firmware/protocol/l2tp/control-message.ts';
import { encodeFrame } from '../../firmware/protocol/ppp/packet.ts';
import { PPP_CHAP } from '../../firmware/protocol/ppp/protocol-numbers.ts';
import { ipv4, LINKTYPE_RAW, udp } from '../support/capture-builder.ts';

const STRANGERS = 12_000;
const MEBIBYTE = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heap(): number {
  for (let round = 0; round < 3; round += 1) collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const LONG = new Uint8Array(250).fill(7);

/** What the stranger of this number sends: an SCCRQ, a session, a challenge of CHAP, the first fragment of something. */
function packetsOf(stranger: number): readonly Uint8Array[] {
  const source = `10.${(stranger >> 16) & 255}.${(stranger >> 8) & 255}.${stranger & 255}`;
  const id = 1 + (stranger % 60_000);
  const head = { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 };
  const request = encodeControlMessage(head, 'SCCRQ', {
    protocolVersion: { version: 1, revision: 0 },
    hostName: 'a stranger',
    framingCapabilities: 3,
    assignedTunnelId: id,
    challenge: LONG,
  });
  const call = encodeControlMessage({ ...head, tunnelId: id, ns: stranger & 0xffff }, 'ICRQ', {
    assignedSessionId: id,
    callSerialNumber: stranger,
  });
  const frame = encodeFrame(PPP_CHAP, { code: 1, identifier: 1, data: Uint8Array.of(250, ...LONG) });
  const challenge = new ByteWriter().u16(2).u16(id).u16(id).bytes(frame).finish();
  return [
    ...[request, call, challenge].map((message) => ipv4(udp(message, 1024 + id), { source })),
    ipv4(new Uint8Array(1480), { source, more: true, id: stranger & 0xffff }),
  ];
}

it('strangers without number fill the tables of the decoder once', () => {
  const decoder = new FrameDecoder({ secrets: [utf8Bytes('secret')], passwords: ['password'] });
  let frame = 0;
  const flood = (from: number, to: number) => {
    for (let stranger = from; stranger < to; stranger += 1) {
      for (const bytes of packetsOf(stranger)) {
        frame += 1;
        decoder.decode({ frame, time: frame, linkType: LINKTYPE_RAW, bytes, originalLength: bytes.length });
      }
    }
  };
  flood(0, STRANGERS / 2);
  const before = heap();
  flood(STRANGERS / 2, STRANGERS);
  expect(heap() - before).toBeLessThan(4 * MEBIBYTE);
});
