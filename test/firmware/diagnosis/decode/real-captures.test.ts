/** What was recorded in the lab, with real peers. tshark agrees on both, which the interop tests hold for fresh ones. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DecodedMessage } from '../../../../firmware/diagnosis/decode/decoded.ts';
import { utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { decodedFile } from './decoded-packets.ts';

async function decoded(peer: 'xl2tpd' | 'l2tpns'): Promise<readonly DecodedMessage[]> {
  const file = readFileSync(new URL(`../captures/${peer}.pcap`, import.meta.url));
  const secrets = ['tunnelsecret', 'tunnel secret'].map(utf8Bytes);
  return await decodedFile(file, { secrets, passwords: ['alice-pw'] }, 1000);
}

function count(messages: readonly DecodedMessage[], field: string): Readonly<Record<string, number>> {
  const values = messages.flatMap(({ fields }) => (field in fields ? [String(fields[field])] : []));
  return Object.fromEntries([...Map.groupBy(values, (value) => value)].map(([value, all]) => [value, all.length]));
}

describe('a real capture', () => {
  it('of xl2tpd and pppd, both ways, with PAP, CHAP and MS-CHAPv2, has nothing that cannot be read', async () => {
    const messages = await decoded('xl2tpd');
    expect(messages).toHaveLength(251);
    expect(messages.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(count(messages, 'authentication')).toEqual({
      'challenge response: correct': 4,
      'password: correct': 2,
      'CHAP-MD5 response: correct': 2,
      'MS-CHAPv2 response: correct': 3,
      'MS-CHAPv2 response: wrong for this password': 1,
      "server's proof: correct": 3,
    });
  });

  it('of l2tpns, with multilink options that were refused, has nothing that cannot be read', async () => {
    const messages = await decoded('l2tpns');
    expect(messages).toHaveLength(96);
    expect(messages.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(count(messages, 'authentication')).toEqual({
      'challenge response: correct': 5,
      'password: correct': 1,
      'CHAP-MD5 response: correct': 1,
      'CHAP-MD5 response: wrong for this password': 1,
    });
    expect(messages.map(({ summary }) => summary).join('\n')).toMatch(
      /Configure-Reject id \d+ .*Endpoint-Discriminator/,
    );
  });
});
