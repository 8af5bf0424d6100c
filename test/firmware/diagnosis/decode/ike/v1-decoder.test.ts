import { describe, expect, it } from 'vitest';
import type { DecodedBody } from '../../../../../firmware/diagnosis/decode/decoded.ts';
import { NO_KEYS } from '../../../../../firmware/diagnosis/decode/keys/decode-keys.ts';
import { parseKeyText } from '../../../../../firmware/diagnosis/decode/keys/key-files.ts';
import { fragment } from '../../../../../firmware/protocol/ike/v1/fragmentation.ts';
import { decodeMessage } from '../../../../../firmware/protocol/ike/v1/header.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import {
  branch,
  CLIENT,
  connect,
  headOffice,
  l2tpClient,
  l2tpServer,
  type Pair,
  type PairOptions,
} from '../../../protocol/ike/v1/setup.ts';
import { aggressiveMode } from './aggressive.ts';
import { decodeAll, keysOf, type Recorded } from './recorded.ts';

/** What a listener between a NAT and the server has of it. */
function recorded({ network }: Pair): readonly Recorded[] {
  return network.sent.map(({ from, datagram, path }) => ({
    octets: datagram,
    source: from.nat === undefined ? path.local : from.nat.out(path.local),
    destination: path.remote,
  }));
}

function payloadsOf(body: DecodedBody | undefined): readonly Record<string, unknown>[] {
  return body?.fields['payloads'] as readonly Record<string, unknown>[];
}

const summaries = (bodies: readonly DecodedBody[]): readonly string[] => bodies.map(({ summary }) => summary);
const errors = (bodies: readonly DecodedBody[]): readonly unknown[] => bodies.flatMap(({ error }) => error ?? []);

/** As a set-up reads when everything is in it. */
const WHOLE = [
  /^Main Mode: SA, VID/,
  /^Main Mode: SA, VID/,
  /^Main Mode: KE, NONCE, NAT-D, NAT-D$/,
  /^Main Mode: KE, NONCE, NAT-D, NAT-D$/,
  /^Main Mode: ID, HASH/,
  /^Main Mode: ID, HASH/,
  /^Quick Mode [0-9a-f]{8}: HASH, SA, NONCE, ID, ID/,
  /^Quick Mode [0-9a-f]{8}: HASH, SA, NONCE, ID, ID/,
  /^Quick Mode [0-9a-f]{8}: HASH$/,
].map((pattern) => expect.stringMatching(pattern));

describe('the decoder of IKEv1 without a key', () => {
  const pair = connect();
  const bodies = decodeAll(recorded(pair), NO_KEYS);

  it('names exchanges and payloads, and says what is encrypted', () => {
    expect(summaries(bodies).slice(0, 4)).toEqual(WHOLE.slice(0, 4));
    expect(summaries(bodies).slice(4, 7)).toEqual([
      'Main Mode: encrypted',
      'Main Mode: encrypted',
      expect.stringMatching(/^Quick Mode [0-9a-f]{8}: encrypted$/),
    ]);
    expect(errors(bodies)).toEqual([]);
    expect(bodies[4]?.fields).toMatchObject({ decrypted: false, firstPayload: 'ID', flags: { encryption: true } });
  });

  it('shows proposals, transforms and attributes by name', () => {
    expect(payloadsOf(bodies[0])[0]).toMatchObject({
      name: 'SA',
      doi: 1,
      situation: 1,
      proposals: [
        {
          protocol: 'ISAKMP',
          transforms: [
            {
              name: 'KEY_IKE',
              attributes: [
                { type: 1, name: 'Encryption Algorithm', value: 7, meaning: 'AES-CBC' },
                { type: 2, name: 'Hash Algorithm', value: 4, meaning: 'SHA2-256' },
                { type: 3, name: 'Authentication Method', value: 1, meaning: 'pre-shared key' },
                { type: 4, name: 'Group Description', value: 19, meaning: '256-bit ECP' },
                { type: 11, name: 'Life Type', value: 1, meaning: 'seconds' },
                { type: 12, name: 'Life Duration', value: 14400 },
                { type: 14, name: 'Key Length', value: 128 },
              ],
            },
          ],
        },
      ],
    });
  });

  it('names vendor ids', () => {
    const meanings = payloadsOf(bodies[0]).flatMap(({ meaning }) => meaning ?? []);
    expect(meanings).toEqual([
      'NAT traversal (RFC 3947)',
      'NAT traversal (draft 03)',
      'NAT traversal (draft 02, with a line feed)',
      'NAT traversal (draft 02)',
      'Dead Peer Detection (RFC 3706)',
      'IKE fragmentation',
      'Culvert',
    ]);
  });

  it('holds NAT-D hashes against the addresses', () => {
    expect(bodies[2]?.fields['natDetection']).toEqual({
      source: 'the source address is as the sender knows it',
      destination: 'the destination address is as the sender knows it',
    });
    const behind = decodeAll(recorded(connect({ clientBehindNat: true })), NO_KEYS);
    expect(behind[2]?.fields['natDetection']).toMatchObject({ source: expect.stringContaining('was changed') });
    expect(behind[3]?.fields['natDetection']).toMatchObject({ source: expect.stringContaining('as the sender knows') });
  });
});

const ALGORITHMS = [
  ['aes128', 'sha256', 'ecp256'],
  ['aes256', 'sha1', 'ecp384'],
  ['aes192', 'sha512', 'ecp256'],
  ['3des', 'md5', 'ecp256'],
] as const;

function withIke([encryption, hash, group]: (typeof ALGORITHMS)[number], extra: PairOptions = {}): PairOptions {
  const ikeProposals = [{ encryption, integrity: hash, prf: hash, group }];
  return { ...extra, client: l2tpClient({ ikeProposals }), server: l2tpServer({ ikeProposals }) };
}

describe('the decoder of IKEv1 with the key of the ISAKMP SA', () => {
  for (const algorithms of ALGORITHMS) {
    it(`reads what ${algorithms.join('-')} encrypted, by the key as it is printed`, () => {
      const pair = connect(withIke(algorithms));
      const bodies = decodeAll(recorded(pair), keysOf(pair.server.endpoint.secrets()));
      expect(summaries(bodies).slice(0, WHOLE.length)).toEqual(WHOLE);
      expect(errors(bodies)).toEqual([]);
      expect(payloadsOf(bodies[4])[0]).toMatchObject({ name: 'ID', id: 'ID_IPV4_ADDR', identity: CLIENT });
      const [, sa, , idI] = payloadsOf(bodies[6]);
      expect(sa).toMatchObject({
        proposals: [
          {
            protocol: 'ESP',
            spi: expect.stringMatching(/^[0-9a-f]{8}$/),
            transforms: [
              {
                name: 'ESP_AES_CBC',
                attributes: expect.arrayContaining([
                  { type: 4, name: 'Encapsulation Mode', value: 2, meaning: 'Transport' },
                  { type: 5, name: 'Authentication Algorithm', value: 2, meaning: 'HMAC-SHA1' },
                ]),
              },
            ],
          },
        ],
      });
      expect(idI).toMatchObject({ name: 'ID', identity: CLIENT, protocol: 17, port: 1701 });
    });
  }

  it('follows rekeys, DPD and the end, and NAT-OA behind a NAT', () => {
    const pair = connect({ clientBehindNat: true });
    const { network, client, ikeId } = pair;
    const keys = keysOf(client.endpoint.secrets());
    const child = client.outbound.at(-1)?.id ?? 0;
    client.endpoint.rekeyChild(network.now, child);
    network.run(30_000);
    client.endpoint.close(network.now, ikeId);
    network.run(1000);
    const bodies = decodeAll(recorded(pair), keys);
    expect(errors(bodies)).toEqual([]);
    const said = summaries(bodies);
    expect(said.filter((text) => text.startsWith('Quick Mode'))).toHaveLength(6);
    expect(said).toContainEqual(expect.stringMatching(/^Informational [0-9a-f]{8}: HASH, N\(R-U-THERE\)$/));
    expect(said).toContainEqual(expect.stringMatching(/^Informational [0-9a-f]{8}: HASH, N\(R-U-THERE-ACK\)$/));
    expect(said).toContainEqual(expect.stringMatching(/^Informational [0-9a-f]{8}: HASH, D$/));
    const oa = bodies.flatMap((body) => payloadsOf(body)).filter(({ name }) => name === 'NAT-OA');
    expect(oa[0]).toMatchObject({ id: 'ID_IPV4_ADDR', address: '10.0.0.5' });
  });

  it('reads tunnel mode with its networks', () => {
    const pair = connect({ client: branch(), server: headOffice() });
    const bodies = decodeAll(recorded(pair), keysOf(pair.client.endpoint.secrets()));
    const ids = payloadsOf(bodies[6]).filter(({ name }) => name === 'ID');
    expect(ids).toMatchObject([
      { id: 'ID_IPV4_ADDR_SUBNET', identity: '10.1.0.0 mask 255.255.255.0' },
      { id: 'ID_IPV4_ADDR_SUBNET', identity: '10.2.0.0 mask 255.255.0.0' },
    ]);
  });

  it('reads messages that were sent again, and those behind a missing one', () => {
    const pair = connect();
    const messages = recorded(pair);
    const keys = keysOf(pair.client.endpoint.secrets());
    const twice = decodeAll(
      messages.flatMap((one) => [one, one]),
      keys,
    );
    expect(errors(twice)).toEqual([]);
    const late = decodeAll([...messages, ...messages.slice(4)], keys);
    expect(errors(late)).toEqual([]);
    // The second message of Quick Mode is lost: the third one's IV is in it, and nothing after it is harmed.
    const [lost] = messages.slice(7, 8);
    const bodies = decodeAll(
      messages.filter((one) => one !== lost),
      keys,
    );
    expect(errors(bodies)).toMatchObject([{ offset: 28, reason: expect.stringContaining('a message before it') }]);
  });

  it('reads Aggressive Mode, XAUTH and Mode-Config behind it, and keeps the password to itself', () => {
    const { messages, key } = aggressiveMode();
    const bodies = decodeAll(messages, parseKeyText(key, 'keys'));
    expect(errors(bodies)).toEqual([]);
    expect(summaries(bodies)).toEqual([
      'Aggressive Mode: SA, KE, NONCE, ID',
      'Aggressive Mode: SA, KE, NONCE, ID, HASH',
      'Aggressive Mode: HASH',
      'Transaction 1234abcd: HASH, ATTR',
      'Transaction 1234abcd: HASH, ATTR',
      'Transaction fedc0001: HASH, ATTR',
      'Transaction fedc0001: HASH, ATTR',
    ]);
    expect(payloadsOf(bodies[4])[1]).toMatchObject({
      attributes: [{ name: 'XAUTH-TYPE' }, { value: 'alice' }, { value: '3 octets, not shown' }],
    });
    expect(JSON.stringify(bodies)).not.toContain('pw!');
  });

  it('says what is missing when phase 1 is not in the capture, or the key is another one', () => {
    const pair = connect();
    const messages = recorded(pair);
    const keys = keysOf(pair.client.endpoint.secrets());
    const [body] = decodeAll(messages.slice(4), keys);
    expect(body).toMatchObject({
      fields: { decrypted: false },
      error: { offset: 28, reason: expect.stringContaining('the beginning of phase 1 is not in the capture') },
    });
    const [key] = keys.ikev1;
    if (key === undefined) throw new Error('no key');
    const other = { ...keys, ikev1: [{ ...key, key: key.key.map((octet) => octet ^ 1) }] };
    expect(errors(decodeAll(messages, other))[0]).toMatchObject({ reason: expect.stringContaining('makes no sense') });
    const long = { ...keys, ikev1: [{ ...key, key: new Uint8Array(32) }] };
    expect(errors(decodeAll(messages, long))[0]).toMatchObject({
      reason: "the key has 32 octets, and AES-CBC with 128-bit key needs 16: it is another SA's",
    });
  });

  it('puts fragments together and reads what they hold', () => {
    const identity = { kind: 'fqdn', value: `${'long.'.repeat(40)}example` } as const;
    const pair = connect({ client: l2tpClient({ localId: identity }) });
    const messages = recorded(pair);
    const cut = messages.flatMap((message) => {
      const { header, octets } = decodeMessage(message.octets);
      const padded = octets.length > 200 ? octets : undefined;
      if (padded === undefined || header.flags !== 1) return [message];
      return fragmentsOf(message);
    });
    const bodies = decodeAll(cut, keysOf(pair.client.endpoint.secrets()));
    expect(errors(bodies)).toEqual([]);
    expect(summaries(bodies)).toContain('Main Mode: FRAGMENT 1');
    const whole = bodies.find(({ fields }) => fields['reassembled'] === true);
    expect(whole?.summary).toMatch(/^Main Mode: ID, HASH.* \(put together from fragments\)$/);
    expect(payloadsOf(whole)[0]).toMatchObject({ identity: expect.stringContaining('long.long.') });
  });
});

/** As `fragment` cuts, but into pieces of 100 octets. */
function fragmentsOf(message: Recorded): readonly Recorded[] {
  const { header } = decodeMessage(message.octets);
  const long = new Uint8Array(1300);
  const [sample] = fragment(header, long, 7);
  if (sample === undefined) throw new Error('no fragment');
  const pieces: Recorded[] = [];
  for (let at = 0; at < message.octets.length; at += 100) {
    const data = message.octets.subarray(at, at + 100);
    const octets = new Uint8Array(36 + data.length);
    octets.set(sample.subarray(0, 36));
    const view = new DataView(octets.buffer);
    view.setUint32(24, octets.length);
    view.setUint16(30, 8 + data.length);
    octets[34] = at / 100 + 1;
    octets[35] = at + 100 >= message.octets.length ? 1 : 0;
    octets.set(data, 36);
    pieces.push({ ...message, octets });
  }
  return pieces;
}

/** A message of one payload in clear. */
function messageWith(exchange: number, payloadType: number, body: string): Recorded {
  const pad = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const length = 32 + body.length / 2;
  const header = `01020304050607081112131415161718${pad(payloadType, 2)}10${pad(exchange, 2)}00deadbeef${pad(length, 8)}`;
  const octets = Uint8Array.from(Buffer.from(`${header}0000${pad(4 + body.length / 2, 4)}${body}`, 'hex'));
  return { octets, source: { address: '', port: 0 }, destination: { address: '', port: 0 } };
}

const MODE_CONFIG = 6;
const INFORMATIONAL = 5;
const MAIN_MODE = 2;
const text = (words: string): string => Buffer.from(words).toString('hex');

describe('payloads of IKEv1', () => {
  it.each([
    [
      'XAUTH, without the password',
      MODE_CONFIG,
      14,
      `02000007c08800004089000${'5'}${text('alice')}408a0003${text('pw!')}`,
      {
        cfg: 'ISAKMP_CFG_REPLY',
        identifier: 7,
        attributes: [
          { name: 'XAUTH-TYPE', value: 0 },
          { name: 'XAUTH-USER-NAME', value: 'alice' },
          { name: 'XAUTH-USER-PASSWORD', value: '3 octets, not shown' },
        ],
      },
    ],
    [
      'Mode-Config',
      MODE_CONFIG,
      14,
      '0200000000010004c000020570000002' + '6869',
      {
        attributes: [
          { name: 'INTERNAL_IP4_ADDRESS', value: '192.0.2.5' },
          { name: 'UNITY-BANNER', value: 'hi' },
        ],
      },
    ],
    [
      'an answer with padding',
      MODE_CONFIG,
      14,
      '02000000000100020000' + '0000',
      { attributes: [{ name: 'INTERNAL_IP4_ADDRESS' }], padding: '0000' },
    ],
    [
      'a responder lifetime',
      INFORMATIONAL,
      11,
      '0000000103046000c0ffee0180010001' + '80020e10',
      {
        notify: 'RESPONDER-LIFETIME',
        spi: 'c0ffee01',
        attributes: [
          { name: 'SA Life Type', value: 1, meaning: 'seconds' },
          { name: 'SA Life Duration', value: 3600 },
        ],
      },
    ],
    [
      'a private notification',
      INFORMATIONAL,
      11,
      '0000000101009c45beef',
      { notify: 'notification 40005', data: 'beef' },
    ],
    ['a delete', INFORMATIONAL, 12, '0000000103040001c0ffee01', { protocol: 'ESP', spis: ['c0ffee01'] }],
    ['a range of IPv6', 32, 5, `08000000${'00'.repeat(15)}01${'00'.repeat(15)}0f`, { identity: '::1-::f' }],
    [
      'a certificate request',
      MAIN_MODE,
      7,
      '04300b',
      { certificateKind: 'X.509 certificate - signature', authority: '300b' },
    ],
    ['a signature', MAIN_MODE, 9, 'abcd', { signatureData: 'abcd' }],
    ['an old NAT-OA', 32, 131, '010000000a000005', { address: '10.0.0.5' }],
    ['an unknown payload', MAIN_MODE, 99, 'abcd', { name: 'payload 99', data: 'abcd' }],
    [
      'a long attribute',
      MAIN_MODE,
      1,
      '0000000100000001' + '0000001c01010001' + '0000001401010000' + '000b0004' + '0000ffff' + '80010005',
      {
        proposals: [{ transforms: [{ attributes: [{ name: 'Life Type', value: 65535 }, { meaning: '3DES-CBC' }] }] }],
      },
    ],
  ])('%s is told', (_what, exchange, type, body, fields) => {
    const [decoded] = decodeAll([messageWith(exchange, type, body)], NO_KEYS);
    expect(decoded?.error).toBeUndefined();
    expect(payloadsOf(decoded)[0]).toMatchObject(fields);
  });

  it.each([
    ['another situation', MAIN_MODE, 1, '0000000100000002', { offset: 36, field: 'Situation' }],
    [
      'fewer transforms than announced',
      MAIN_MODE,
      1,
      '00000001000000010000001001010002' + '0000000801010000',
      { offset: 47, field: '# of Transforms' },
    ],
    [
      'an attribute that is cut short',
      MAIN_MODE,
      1,
      '00000001000000010000001401010001' + '0000000c01010000' + '000b0009',
      { offset: 60, field: 'Attribute Value' },
    ],
    ['a short nonce', MAIN_MODE, 10, 'ab', { offset: 32, field: 'Nonce Data' }],
    [
      'a delete of more SPIs than there are',
      INFORMATIONAL,
      12,
      '0000000103040002c0ffee01',
      { offset: 44, field: 'SPI' },
    ],
  ])('%s is named with its place', (_what, exchange, type, body, error) => {
    const [decoded] = decodeAll([messageWith(exchange, type, body)], NO_KEYS);
    expect(decoded?.error).toMatchObject(error);
  });

  it('in a message of random octets are told as far as they go', () => {
    const random = new SeededRandom(4);
    const [first] = recorded(connect());
    if (first === undefined) throw new Error('no message');
    const octets = Uint8Array.of(...first.octets.subarray(0, 32), ...random.bytes(first.octets.length - 32));
    const [decoded] = decodeAll([{ ...first, octets }], NO_KEYS);
    expect(decoded).toMatchObject({ protocol: 'ikev1', fields: { exchangeType: 'Main Mode' } });
    expect(decoded?.error?.offset).toBeGreaterThanOrEqual(32);
  });
});
