import { describe, expect, it } from 'vitest';
import { decodeCapture } from '../../../../firmware/diagnosis/decode/decode-capture.ts';
import type { DecodeOptions } from '../../../../firmware/diagnosis/decode/decode-options.ts';
import type { DecodedMessage } from '../../../../firmware/diagnosis/decode/decoded.ts';
import { encodeControlMessage } from '../../../../firmware/protocol/l2tp/control-message.ts';
import { inChunks, ipv4, pcapFile, udp } from '../../../support/capture-builder.ts';

async function decoded(file: Uint8Array, options?: DecodeOptions): Promise<readonly DecodedMessage[]> {
  const messages: DecodedMessage[] = [];
  for await (const message of decodeCapture(inChunks(file), options)) messages.push(message);
  return messages;
}

const SCCRQ = encodeControlMessage({ tunnelId: 0, sessionId: 0, ns: 0, nr: 0 }, 'SCCRQ', {
  protocolVersion: { version: 1, revision: 0 },
  hostName: 'lac1',
  framingCapabilities: 3,
  assignedTunnelId: 17,
});

describe('a capture', () => {
  it('is told message by message, with where, when, and what', async () => {
    const file = pcapFile([{ bytes: ipv4(udp(SCCRQ)), time: 1_700_000_000_123.456 }]);
    expect(await decoded(file)).toEqual([
      {
        frame: 1,
        time: 1_700_000_000_123.456,
        source: { address: '192.0.2.1', port: 1701 },
        destination: { address: '192.0.2.2', port: 1701 },
        protocol: 'l2tp',
        summary: 'SCCRQ tunnel 0 session 0 Ns 0 Nr 0',
        fields: {
          messageType: 'SCCRQ',
          tunnelId: 0,
          sessionId: 0,
          ns: 0,
          nr: 0,
          avps: [
            { name: 'Message Type', value: 1, mandatory: true, meaning: 'SCCRQ' },
            { name: 'Protocol Version', value: { version: 1, revision: 0 }, mandatory: true, meaning: '1.0' },
            { name: 'Host Name', value: 'lac1', mandatory: true },
            { name: 'Framing Capabilities', value: 3, mandatory: true, meaning: 'synchronous, asynchronous' },
            { name: 'Assigned Tunnel ID', value: 17, mandatory: true },
          ],
        },
      },
    ]);
  });

  it('says of a repeated message that it is a retransmission', async () => {
    const bytes = ipv4(udp(SCCRQ));
    const messages = await decoded(pcapFile([{ bytes }, { bytes }]));
    expect(messages.map(({ fields }) => fields['retransmission'])).toEqual([undefined, true]);
  });
});
