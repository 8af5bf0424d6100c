/** Every AVP and option that the protocols' tables have, in messages made for it, as both programs see them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeCapture } from '../../firmware/diagnosis/decode/decode-capture.ts';
import type { DecodedMessage } from '../../firmware/diagnosis/decode/decoded.ts';
import { utf8Bytes } from '../../firmware/protocol/bytes.ts';
import { inChunks, pcapFile } from '../support/capture-builder.ts';
import { EVERY_MESSAGE, SECRET } from '../support/every-message.ts';
import { type AgreementException, compare } from './decode-agrees.ts';
import { type PdmlFrame, tsharkFrames } from './pdml.ts';

const folder = mkdtempSync(join(tmpdir(), 'culvert-agreement-'));
afterAll(() => rmSync(folder, { recursive: true }));

let frames: readonly PdmlFrame[];
beforeAll(async () => {
  const file = join(folder, 'every-message.pcap');
  writeFileSync(file, captured(EVERY_MESSAGE));
  frames = await tsharkFrames(file, 'l2tp');
});

function captured(packets: readonly Uint8Array[]): Uint8Array {
  return pcapFile(packets.map((bytes) => ({ bytes })));
}

async function decoded(packets: readonly Uint8Array[]): Promise<readonly DecodedMessage[]> {
  const messages: DecodedMessage[] = [];
  const options = { secrets: [utf8Bytes(SECRET)] };
  for await (const message of decodeCapture(inChunks(captured(packets)), options)) messages.push(message);
  return messages;
}

const SPEED_UPDATE: AgreementException = {
  reason: 'tshark does not look into the Connect Speed Update of L2TPv2',
  applies: ({ what, theirs }) => what === 'AVP Connect Speed Update' && theirs.includes('00000007000f424001312d00'),
};

describe('messages with every AVP and every option', () => {
  it('are decoded as tshark decodes them', async () => {
    const { differences, messages } = compare(await decoded(EVERY_MESSAGE), frames, [SPEED_UPDATE]);
    expect(differences).toEqual([]);
    expect(messages).toBe(EVERY_MESSAGE.length);
  });

  // Behind 20 octets of IP and 8 of UDP, in the SCCRQ that is the first of them.
  it.each([
    [33, 'tunnelId'],
    [37, 'ns'],
    [40, 'AVP Message Type mandatory'],
    [55, 'AVP Protocol Version'],
    [64, 'AVP Host Name'],
  ])('differ when octet %i does: %s', async (octet, what) => {
    const [first = new Uint8Array(), ...others] = EVERY_MESSAGE;
    const changed = first.slice();
    changed[octet] = (changed[octet] ?? 0) ^ 0x81;
    const { differences } = compare(await decoded([changed, ...others]), frames, []);
    expect(differences.map((difference) => difference.what)).toContain(what);
  });
});
