import { describe, expect, it } from 'vitest';
import type { DecodedBody } from '../../../../../firmware/diagnosis/decode/decoded.ts';
import { NO_KEYS } from '../../../../../firmware/diagnosis/decode/keys/decode-keys.ts';
import type { IkeProposal } from '../../../../../firmware/protocol/ike/proposals.ts';
import { FAST_IKE, Harness, LEFT_ADDRESS, PATH } from '../../../protocol/ike/v2/harness.ts';
import { CERTIFICATE } from './certificate.ts';
import { decodeAll, keysOf, placeOf, type Recorded, record } from './recorded.ts';

function connected(overlay: ConstructorParameters<typeof Harness>[0] = {}): {
  readonly harness: Harness;
  readonly messages: readonly Recorded[];
} {
  const harness = new Harness(overlay);
  harness.left.initiate(harness.now, 'office', PATH);
  return { harness, messages: record(harness) };
}

const withIke = (proposal: IkeProposal) => ({
  left: { ikeProposals: [proposal] },
  right: { ikeProposals: [proposal] },
});

function payloadsOf(body: DecodedBody | undefined): readonly Record<string, unknown>[] {
  return body?.fields['payloads'] as readonly Record<string, unknown>[];
}

/** What is inside the Encrypted payload. */
function inside(body: DecodedBody | undefined): readonly Record<string, unknown>[] {
  const encrypted = payloadsOf(body).find(({ name }) => name === 'SK');
  return encrypted?.['payloads'] as readonly Record<string, unknown>[];
}

describe('the decoder of IKEv2 without keys', () => {
  const { messages } = connected();
  const bodies = decodeAll(messages, NO_KEYS);

  it('names exchange, role, number and payloads', () => {
    expect(bodies.map(({ summary }) => summary)).toMatchObject(
      [
        /^IKE_SA_INIT request 0: SA, KE, Nonce, N\(NAT_DETECTION_SOURCE_IP\)/,
        /^IKE_SA_INIT response 0: SA, KE, Nonce/,
        'IKE_AUTH request 1: SK (encrypted)',
        'IKE_AUTH response 1: SK (encrypted)',
      ].map((text) => (typeof text === 'string' ? text : expect.stringMatching(text))),
    );
    expect(bodies.map(({ error }) => error)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('shows the header', () => {
    expect(bodies[0]).toMatchObject({
      protocol: 'ikev2',
      fields: {
        responderSpi: '0000000000000000',
        version: '2.0',
        exchangeType: 'IKE_SA_INIT',
        flags: { initiator: true, response: false, version: false },
        messageId: 0,
        length: messages[0]?.octets.length,
      },
    });
  });

  it('shows proposals and transforms by name and number, the group, and the nonce', () => {
    const [sa, ke, nonce] = payloadsOf(bodies[0]);
    expect(sa).toMatchObject({
      type: 33,
      proposals: [
        {
          number: 1,
          protocol: 'IKE',
          transforms: [
            {
              type: 'ENCR',
              transformId: 20,
              name: 'ENCR_AES_GCM_16',
              keyLength: 128,
              algorithm: 'AES-GCM with 128-bit key',
            },
            { type: 'PRF', transformId: 5, name: 'PRF_HMAC_SHA2_256' },
            { type: 'KE', transformId: 31, name: 'CURVE25519' },
          ],
        },
      ],
    });
    expect(ke).toMatchObject({ group: 31, groupName: 'CURVE25519' });
    expect(nonce).toMatchObject({ name: 'Nonce', nonceLength: 32 });
  });

  it('says that the addresses are as their sender knows them, or were changed on the way', () => {
    expect(bodies[0]?.fields['natDetection']).toEqual({
      source: 'the source address is as the sender knows it',
      destination: 'the destination address is as the sender knows it',
    });
    const [first] = messages;
    if (first === undefined) throw new Error('no message');
    const moved = { ...first, source: { address: '198.51.100.7', port: 4711 } };
    const [body] = decodeAll([moved], NO_KEYS);
    expect(body?.fields['natDetection']).toMatchObject({ source: expect.stringContaining('was changed on the way') });
    const notifies = payloadsOf(body).filter(({ name }) => name === 'N');
    expect(notifies).toContainEqual(expect.objectContaining({ notify: 'NAT_DETECTION_SOURCE_IP', matches: false }));
  });

  it('names vendor ids', () => {
    const ids = payloadsOf(bodies[0]).filter(({ name }) => name === 'V');
    expect(ids).toMatchObject([{ meaning: 'Culvert' }]);
  });
});

const ALGORITHMS: readonly IkeProposal[] = [
  FAST_IKE,
  { encryption: 'aes256', integrity: 'sha256', prf: 'sha256', group: 'x25519' },
  { encryption: '3des', integrity: 'sha1', prf: 'sha1', group: 'x25519' },
  { encryption: 'aes192ctr', integrity: 'sha512', prf: 'sha512', group: 'x25519' },
  { encryption: 'aes256ccm12', prf: 'sha384', group: 'x25519' },
  { encryption: 'chacha20poly1305', prf: 'sha256', group: 'x25519' },
];

describe('the decoder of IKEv2 with keys', () => {
  for (const proposal of ALGORITHMS) {
    it(`reads what ${proposal.encryption} with ${proposal.integrity ?? 'itself'} encrypted, by the keys as they are printed`, () => {
      const { harness, messages } = connected(withIke(proposal));
      const bodies = decodeAll(messages, keysOf(harness.left.secrets()));
      expect(bodies[2]?.summary).toMatch(/^IKE_AUTH request 1: SK \{IDi, .*IDr, .*AUTH, .*SA, .*TSi, TSr/);
      expect(bodies[3]?.summary).toMatch(/^IKE_AUTH response 1: SK \{IDr, .*AUTH, .*SA, .*TSi, TSr/);
      expect(bodies.map(({ error }) => error)).toEqual([undefined, undefined, undefined, undefined]);
      const payloads = inside(bodies[2]);
      expect(payloads).toContainEqual(
        expect.objectContaining({ name: 'IDi', id: 'ID_FQDN', identity: 'left.example' }),
      );
      expect(payloads).toContainEqual(
        expect.objectContaining({ name: 'AUTH', method: 'shared key message integrity code' }),
      );
      expect(payloads.find(({ name }) => name === 'TSi')).toMatchObject({
        selectors: [{ text: '10.1.0.0-10.1.0.255', protocol: 0, firstPort: 0, lastPort: 65535 }],
      });
      expect(payloads.find(({ name }) => name === 'SA')).toMatchObject({
        proposals: [{ protocol: 'ESP', spi: expect.stringMatching(/^[0-9a-f]{8}$/) }],
      });
    });
  }

  it('reads a rekey of both kinds and the end, each with the keys of its SA', () => {
    const { harness, messages } = connected();
    const [before] = harness.left.secrets();
    if (before === undefined) throw new Error('no keys');
    const child = before.children[0]?.id ?? 0;
    harness.left.rekeyChild(harness.now, child);
    const rekeyed = record(harness);
    const keys = keysOf(harness.left.secrets());
    harness.left.rekeyIke(harness.now, before.ikeId);
    const rest = record(harness);
    const all = decodeAll([...messages, ...rekeyed, ...rest], keys);
    const said = all.map(({ summary }) => summary);
    expect(said).toContainEqual(expect.stringMatching(/^CREATE_CHILD_SA request 2: SK \{.*N\(REKEY_SA\).*SA, Nonce/));
    expect(said).toContainEqual(expect.stringMatching(/^INFORMATIONAL request 3: SK \{D\}/));
    expect(said).toContainEqual(expect.stringMatching(/^CREATE_CHILD_SA request 4: SK \{SA, Nonce, KE\}/));
    const rekey = inside(all.find(({ summary }) => summary.startsWith('CREATE_CHILD_SA request 4')));
    expect(rekey[0]).toMatchObject({ proposals: [{ protocol: 'IKE', spi: expect.stringMatching(/^[0-9a-f]{16}$/) }] });
  });

  it('says that the ICV is wrong, and where it stands, when a message was changed or the keys are others', () => {
    const { harness, messages } = connected();
    const keys = keysOf(harness.left.secrets());
    const [, , auth] = messages;
    if (auth === undefined) throw new Error('no message');
    const octets = auth.octets.slice();
    octets[40] = (octets[40] ?? 0) ^ 0x80;
    const [body] = decodeAll([{ ...auth, octets }], keys);
    expect(body?.error).toMatchObject({ field: 'Integrity Checksum Data', offset: octets.length - 16 });
    expect(payloadsOf(body)).toMatchObject([{ name: 'SK', firstPayload: 'IDi', decrypted: false }]);
  });

  it('puts fragments together, in whatever order they come, and says their numbers', () => {
    const long = { kind: 'fqdn', value: `${'long.'.repeat(80)}example` } as const;
    const { harness, messages } = connected({
      left: { localId: long },
      right: { remoteId: long },
      leftOptions: { limits: { fragmentOctets: 300 } },
    } as ConstructorParameters<typeof Harness>[0]);
    const keys = keysOf(harness.left.secrets());
    const fragments = messages.filter(({ octets }) => octets[16] === 53);
    expect(fragments.length).toBeGreaterThan(1);
    const bodies = decodeAll(fragments.toReversed(), keys);
    expect(bodies.at(-2)?.summary).toBe(`IKE_AUTH request 1: SKF 1/${fragments.length}`);
    expect(bodies.at(-1)).toMatchObject({
      summary: expect.stringContaining('IKE_AUTH request 1: (put together from fragments) IDi'),
      fields: { reassembled: true },
    });
    expect(payloadsOf(bodies.at(-1))).toContainEqual(
      expect.objectContaining({ identity: expect.stringContaining('long.') }),
    );
    expect(bodies.map(({ error }) => error).filter((error) => error !== undefined)).toEqual([]);
  });
});

const HEAD = '01020304050607080000000000000000'; // SPIs

/** An IKE_SA_INIT request of one payload. */
function messageWith(payloadType: number, body: string): Recorded {
  const length = 28 + 4 + body.length / 2;
  const hexOf = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  const header = `${HEAD}${hexOf(payloadType, 2)}20220800000000${hexOf(length, 8)}`;
  const octets = Uint8Array.from(Buffer.from(`${header}0000${hexOf(4 + body.length / 2, 4)}${body}`, 'hex'));
  const end = { address: LEFT_ADDRESS, port: 500 };
  return { octets, source: end, destination: end };
}

describe('payloads of IKEv2', () => {
  const text = (words: string): string => Buffer.from(words).toString('hex');

  it.each([
    ['a redirect', 41, '00004017010' + '4c0000201', { notify: 'REDIRECT', gateway: '192.0.2.1' }],
    [
      'the hash algorithms',
      41,
      '0000402f00020003',
      { notify: 'SIGNATURE_HASH_ALGORITHMS', values: ['SHA2-256', 'SHA2-384'] },
    ],
    ['the group wanted', 41, '00000011000e', { notify: 'INVALID_KE_PAYLOAD', group: 14, groupName: 'MODP_2048' }],
    ['a cookie', 41, '00004006cafe', { notify: 'COOKIE', cookie: 'cafe' }],
    ['the link of a follow-up', 41, '00004039cafe', { notify: 'ADDITIONAL_KEY_EXCHANGE', link: 'cafe' }],
    ['MOBIKE', 41, '0000400c', { notify: 'MOBIKE_SUPPORTED' }],
    ['another address of MOBIKE', 41, '0000400dc0000201', { notify: 'ADDITIONAL_IP4_ADDRESS', address: '192.0.2.1' }],
    ['a private status', 41, '0000a0010102', { notify: 'status 40961', data: '0102' }],
    ['a private error', 41, '00002000', { notify: 'error 8192' }],
    ['a name', 35, `02000000${text('a\u001bb.example')}`, { identity: 'a\\x1bb.example' }],
    ['an address', 36, '05000000fe800000000000000000000000000001', { identity: 'fe80::1' }],
    ['a distinguished name', 35, '09000000300b', { id: 'ID_DER_ASN1_DN', identity: '300b' }],
    [
      'a certificate',
      37,
      `04${CERTIFICATE}`,
      {
        certificateKind: 'X.509 certificate - signature',
        certificateData: CERTIFICATE,
        subject: 'C=CH, O=Lab, CN=vpn.example',
        issuer: 'C=CH, O=Lab, CN=vpn.example',
      },
    ],
    [
      'a certificate by hash and URL',
      37,
      `0c${'ab'.repeat(20)}`,
      { certificateKind: 'hash and URL of X.509 certificate' },
    ],
    ['a certificate request', 38, `04${'ab'.repeat(40)}`, { authorities: ['ab'.repeat(20), 'ab'.repeat(20)] }],
    [
      'a request for an address',
      47,
      '0100000000010000000300007fff0001aa',
      {
        cfg: 'CFG_REQUEST',
        attributes: [
          { name: 'INTERNAL_IP4_ADDRESS' },
          { name: 'INTERNAL_IP4_DNS' },
          { name: 'attribute 32767', value: 'aa' },
        ],
      },
    ],
    [
      'an assigned address',
      47,
      '0200000000010004c0000205000d00080a000000ff000000',
      {
        cfg: 'CFG_REPLY',
        attributes: [{ value: '192.0.2.5' }, { name: 'INTERNAL_IP4_SUBNET', value: '10.0.0.0 mask 255.0.0.0' }],
      },
    ],
    [
      'EAP-Identity',
      48,
      `0207000a01${text('alice')}`,
      { eap: { code: 'Response', identifier: 7, type: 'Identity', identity: 'alice' } },
    ],
    ['EAP-Nak', 48, '02070006031a', { eap: { type: 'Nak', desired: ['MSCHAPv2'] } }],
    ['EAP-Success', 48, '03070004', { eap: { code: 'Success' } }],
    ['a delete of child SAs', 42, '03040002c0ffee01c0ffee02', { protocol: 'ESP', spis: ['c0ffee01', 'c0ffee02'] }],
    ['a delete of the IKE SA', 42, '01000000', { protocol: 'IKE', spis: [] }],
    ['an unknown selector', 44, '0100000009110008deadbeef', { selectors: [{ tsType: 9, data: 'deadbeef' }] }],
    ['an unknown payload', 200, 'beef', { name: 'payload 200', data: 'beef' }],
    [
      'a transform nobody knows',
      33,
      '0000001401010001' + '0000000c0100270f800e0080',
      {
        proposals: [{ transforms: [{ type: 'ENCR', transformId: 9999, name: 'transform 9999', keyLength: 128 }] }],
      },
    ],
  ])('%s is told', (_what, type, body, fields) => {
    const [decoded] = decodeAll([messageWith(type, body)], NO_KEYS);
    expect(decoded?.error).toBeUndefined();
    expect(payloadsOf(decoded)[0]).toMatchObject(fields);
  });

  it.each([
    ['a selector without its ports', 44, '0100000007110008deadbeef', { offset: 44, field: 'Starting Address' }],
    ['a certificate that is none', 37, '04308201', { offset: 33, field: 'Certificate Data' }],
    ['a short nonce', 40, '0102', { offset: 32, field: 'Nonce Data' }],
    ['a public value of a wrong length', 34, '001300000102', { offset: 36, field: 'Key Exchange Data' }],
    ['an address of three octets', 35, '010000000a0000', { offset: 36, field: 'Identification Data' }],
    ['a notification that is cut short', 41, '0304', { offset: 34, field: 'Notify Message Type' }],
    ['fewer transforms than announced', 33, '0000000801010001', { offset: 40, field: 'Last Substruc' }],
    ['a proposal that is too long', 33, '000000ff01010000', { offset: 36, field: 'Proposal' }],
    ['an EAP packet longer than its payload', 48, '02070009011a', { offset: 34, field: 'Length' }],
  ])('%s is named with its place', (_what, type, body, error) => {
    const [decoded] = decodeAll([messageWith(type, body)], NO_KEYS);
    expect(decoded?.error).toMatchObject(error);
    expect(payloadsOf(decoded)[0]).toMatchObject({ type });
  });

  it('a payload that is wrong does not hide the next one', () => {
    const { messages } = connected();
    const [first] = messages;
    if (first === undefined) throw new Error('no message');
    const octets = first.octets.slice();
    octets[32] = 7; // Last Substruc of the proposal
    const [decoded] = decodeAll([{ ...first, octets }], NO_KEYS);
    expect(decoded?.error).toMatchObject({ offset: 32, field: 'Last Substruc' });
    expect(payloadsOf(decoded).map(({ name }) => name)).toContain('Nonce');
  });

  it('what is behind the last octet of a message is counted, and what is missing is said', () => {
    const { messages } = connected();
    const [first] = messages;
    if (first === undefined) throw new Error('no message');
    const longer = { ...first, octets: Uint8Array.of(...first.octets, 1, 2, 3) };
    expect(decodeAll([longer], NO_KEYS)[0]?.fields).toMatchObject({ trailingOctets: 3 });
    const shorter = { ...first, octets: first.octets.subarray(0, 100) };
    expect(decodeAll([shorter], NO_KEYS)[0]).toMatchObject({ protocol: 'ike', error: { offset: 24, field: 'Length' } });
    expect(decodeAll([{ ...first, octets: Uint8Array.of(1) }], NO_KEYS)[0]?.error).toMatchObject({
      offset: 0,
      field: 'Initiator SPI',
    });
    expect(placeOf(first).frame).toBe(1);
  });
});
