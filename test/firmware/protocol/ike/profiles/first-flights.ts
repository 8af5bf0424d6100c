/** First messages of real peers, whole, with the numbers of the RFCs written out: vendor ids and offers in their order. */
import { ByteWriter, concatBytes, utf8Bytes } from '../../../../../firmware/protocol/bytes.ts';
import { type Hand, phase1Sa } from '../raw-offers.ts';

const WINDOWS_HAND: Hand = { lifeFirst: false, longLife: true, apart: false };
const RACOON_HAND: Hand = { lifeFirst: true, longLife: false, apart: false };

const RFC_3947 = '4a131c81070358455c5728f20e95452f';
const DRAFT_08 = '8f8d83826d246b6fc7a8a6a428c11de8';
const DRAFT_07 = '439b59f8ba676c4c7737ae22eab8f582';
const DRAFT_03 = '7d9419a65310ca6f2c179d9215529d56';
const DRAFT_02 = 'cd60464335df21f87cfdb2fc68b6a448';
const DRAFT_02_LF = '90cb80913ebb696e086381b5ec427b1f';
const DRAFT_00 = '4485152d18b6bbcd0be8a8469579ddcc';
const APPLE_DRAFT = '4df37928e9fc4fd1b3262170d515c662';
const DPD = 'afcad71368a1f1c96b8696fc77570100';
const FRAGMENTATION = '4048b7d56ebce88525e7de7f00d6c2d3';
const XAUTH = '09002689dfd6b712';
const WINDOWS = '1e2b516905991c7d7c96fcbfb587e46100000009';
const WINDOWS_DISCOVERY = 'fb1de3cdf341b7ea16b7e5be0855f120';
const WINDOWS_INITIAL_CONTACT = '26244d38eddb61b3172a36e3d0cfb819';
const WINDOWS_CGA = 'e3a5966a76379fe707228231e5ce8652';
const WINDOWS_UNKNOWN = '01528bbbc00696121849ab9a1c5b2a51';
const FORTIGATE = '8299031757a36082c6a621de00000000';
const STRONGSWAN = '882fe56d6fd20dbc2251613b2ebe5beb';
const LIBRESWAN = Buffer.from('OE-Libreswan-4.10').toString('hex');
const FLEXVPN = Buffer.from('FLEXVPN-SUPPORTED').toString('hex');
const CISCO_DELETE_REASON = Buffer.from('CISCO-DELETE-REASON').toString('hex');

const octetsOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));

export const combine = (...kinds: readonly (readonly string[])[]): readonly string[] =>
  kinds.reduce((texts, kind) => texts.flatMap((text) => kind.map((name) => `${text}-${name}`)));

interface RawPayload {
  readonly type: number;
  readonly body: Uint8Array;
}

function message(version: number, exchange: number, flags: number, payloads: readonly RawPayload[]): Uint8Array {
  const writer = new ByteWriter();
  for (const [index, { body }] of payloads.entries()) {
    writer
      .u8(payloads[index + 1]?.type ?? 0)
      .u8(0)
      .u16(body.length + 4)
      .bytes(body);
  }
  const chain = writer.finish();
  const header = new ByteWriter();
  header
    .bytes(octetsOf('1122334455667788'))
    .bytes(new Uint8Array(8))
    .u8(payloads[0]?.type ?? 0);
  header
    .u8(version)
    .u8(exchange)
    .u8(flags)
    .u32(0)
    .u32(28 + chain.length);
  return concatBytes(header.finish(), chain);
}

/** Main Mode 1. @param vendorIds hexadecimal. */
export function mainMode1(
  offers: readonly string[],
  seconds: number,
  hand: Hand,
  vendorIds: readonly string[],
): Uint8Array {
  const sa = { type: 1, body: phase1Sa(offers, seconds, hand) };
  return message(0x10, 2, 0, [sa, ...vendorIds.map((id) => ({ type: 13, body: octetsOf(id) }))]);
}

const V2_CIPHERS: Readonly<Record<string, readonly [number, number?]>> = {
  '3des': [3],
  aes128: [12, 128],
  aes192: [12, 192],
  aes256: [12, 256],
  aes128gcm16: [20, 128],
  aes256gcm16: [20, 256],
};
const V2_HASHES: Readonly<Record<string, { readonly prf: number; readonly integrity: number }>> = {
  sha1: { prf: 2, integrity: 2 },
  sha256: { prf: 5, integrity: 12 },
  sha384: { prf: 6, integrity: 13 },
  sha512: { prf: 7, integrity: 14 },
};
const V2_GROUPS: Readonly<Record<string, readonly [number, number]>> = {
  modp1024: [2, 128],
  modp2048: [14, 256],
  ecp256: [19, 64],
  ecp384: [20, 96],
};

function found<Row>(table: Readonly<Record<string, Row>>, name = ''): Row {
  const row = table[name];
  if (row === undefined) throw new Error(`there is no ${name}`);
  return row;
}

/** `aes256-sha256-modp2048` or `aes256gcm16-prfsha256-ecp256`: a proposal with one transform of each kind. */
function v2Proposal(text: string, number: number, last: boolean): Uint8Array {
  const [cipherName = '', hashName = '', groupName] = text.split('-');
  const [cipher, keyBits] = found(V2_CIPHERS, cipherName);
  const combined = hashName.startsWith('prf');
  const hash = found(V2_HASHES, combined ? hashName.slice(3) : hashName);
  const [group] = found(V2_GROUPS, groupName);
  const transforms: readonly (readonly [number, number, number?])[] = [
    keyBits === undefined ? [1, cipher] : [1, cipher, keyBits],
    [2, hash.prf],
    ...(combined ? [] : [[3, hash.integrity] as const]),
    [4, group],
  ];
  const writer = new ByteWriter();
  for (const [index, [type, id, bits]] of transforms.entries()) {
    writer
      .u8(index + 1 < transforms.length ? 3 : 0)
      .u8(0)
      .u16(bits === undefined ? 8 : 12)
      .u8(type)
      .u8(0)
      .u16(id);
    if (bits !== undefined) writer.u16(0x800e).u16(bits);
  }
  const body = writer.finish();
  const head = new ByteWriter()
    .u8(last ? 0 : 2)
    .u8(0)
    .u16(8 + body.length)
    .u8(number)
    .u8(1)
    .u8(0)
    .u8(transforms.length);
  return concatBytes(head.finish(), body);
}

/** An IKE_SA_INIT request. @param vendorIds hexadecimal. */
export function ikeSaInit(offers: readonly string[], vendorIds: readonly string[]): Uint8Array {
  const [first = ''] = offers;
  const [group, octets] = found(V2_GROUPS, first.split('-').at(-1));
  const proposals = offers.map((text, index) => v2Proposal(text, index + 1, index + 1 === offers.length));
  const ke = concatBytes(new ByteWriter().u16(group).u16(0).finish(), new Uint8Array(octets).fill(2));
  const notify = (type: number): RawPayload => ({
    type: 41,
    body: concatBytes(new ByteWriter().u8(0).u8(0).u16(type).finish(), new Uint8Array(20)),
  });
  return message(0x20, 34, 0x08, [
    { type: 33, body: concatBytes(...proposals) },
    { type: 34, body: ke },
    { type: 40, body: new Uint8Array(32).fill(9) },
    notify(16_388),
    notify(16_389),
    ...vendorIds.map((id) => ({ type: 43, body: octetsOf(id) })),
  ]);
}

const WINDOWS_OFFERS = [
  'aes256-sha1-ecp384',
  'aes128-sha1-ecp256',
  'aes256-sha1-modp2048',
  '3des-sha1-modp2048',
  '3des-sha1-modp1024',
] as const;

const APPLE_OFFERS = [
  ...combine(['aes256'], ['sha256', 'sha1', 'md5', 'sha512'], ['modp2048']),
  ...combine(['aes256'], ['sha256', 'sha1', 'md5'], ['modp1536']),
  ...combine(['aes256'], ['sha256', 'sha1', 'md5'], ['modp1024']),
  ...combine(['aes128', '3des'], ['sha1', 'md5'], ['modp1024']),
];
const APPLE_IDS = [RFC_3947, APPLE_DRAFT, DRAFT_08, DRAFT_07, DRAFT_03, DRAFT_02, DRAFT_02_LF, DPD] as const;

const ANDROID_OFFERS = combine(['aes256', 'aes128', '3des', 'des'], ['sha1', 'md5'], ['modp1024']);
const ANDROID_IDS = [RFC_3947, DRAFT_02, DRAFT_02_LF, DRAFT_00, `${FRAGMENTATION}80000000`, DPD] as const;
const ROUTEROS_OFFERS = combine(['aes128', '3des'], ['sha1'], ['modp2048', 'modp1024']);
const FORTIGATE_IDS = [
  RFC_3947,
  DRAFT_03,
  DRAFT_02,
  DPD,
  FRAGMENTATION,
  `${FRAGMENTATION}c0000000`,
  FORTIGATE,
] as const;
const STRONGSWAN_IDS = [XAUTH, DPD, `${FRAGMENTATION}80000000`, RFC_3947, DRAFT_02_LF] as const;

const WINDOWS_V2_OFFERS = [
  ...combine(['3des', 'aes128', 'aes192', 'aes256'], ['sha1', 'sha256', 'sha384'], ['modp1024']),
  ...combine(['aes128gcm16', 'aes256gcm16'], ['prfsha1', 'prfsha256', 'prfsha384'], ['modp1024']),
];
const WINDOWS_V2_IDS = [WINDOWS, WINDOWS_DISCOVERY, WINDOWS_INITIAL_CONTACT, `${WINDOWS_UNKNOWN}00000002`] as const;
const APPLE_V2_OFFERS = [
  ...combine(['aes256gcm16'], ['prfsha256'], ['ecp256', 'modp2048']),
  ...combine(['aes256'], ['sha256'], ['ecp256', 'modp2048']),
];

/** By the name of the peer. */
export const FIRST_FLIGHTS = {
  'Windows 10, IKEv1': mainMode1(WINDOWS_OFFERS, 28_800, WINDOWS_HAND, [
    `${WINDOWS_UNKNOWN}00000001`,
    WINDOWS,
    RFC_3947,
    DRAFT_02_LF,
    FRAGMENTATION,
    WINDOWS_DISCOVERY,
    WINDOWS_INITIAL_CONTACT,
    WINDOWS_CGA,
  ]),
  'Windows 11, IKEv2': ikeSaInit(WINDOWS_V2_OFFERS, WINDOWS_V2_IDS),
  'Windows with a custom policy, IKEv2': ikeSaInit(['aes256-sha256-ecp384'], WINDOWS_V2_IDS),
  'macOS or iOS, IKEv1': mainMode1(APPLE_OFFERS, 3600, RACOON_HAND, APPLE_IDS),
  'macOS or iOS, IKEv2': ikeSaInit(APPLE_V2_OFFERS, []),
  'Android 5': mainMode1(ANDROID_OFFERS, 28_800, RACOON_HAND, ANDROID_IDS),
  'Android 7': mainMode1(
    [...combine(['aes256'], ['sha384', 'sha256'], ['modp1024']), ...ANDROID_OFFERS],
    28_800,
    RACOON_HAND,
    ANDROID_IDS,
  ),
  RouterOS: mainMode1(ROUTEROS_OFFERS, 86_400, RACOON_HAND, [RFC_3947, DRAFT_08, DRAFT_03, DRAFT_02_LF, DPD]),
  'FortiGate, IKEv1': mainMode1(['aes256-sha1-modp2048'], 28_800, RACOON_HAND, FORTIGATE_IDS),
  'FortiGate, IKEv2': ikeSaInit(['aes256-sha1-modp2048'], [FORTIGATE]),
  'Cisco IOS, IKEv1': mainMode1(['3des-sha1-modp1024'], 28_800, { ...RACOON_HAND, longLife: true }, [
    RFC_3947,
    DRAFT_07,
    DRAFT_03,
    DRAFT_02_LF,
  ]),
  'Cisco IOS, IKEv2': ikeSaInit(['aes256-sha512-modp2048'], [CISCO_DELETE_REASON, FLEXVPN]),
  'Cisco ASA': mainMode1(['aes256-sha1-modp1024'], 86_400, RACOON_HAND, [
    DRAFT_02_LF,
    DRAFT_03,
    RFC_3947,
    `${FRAGMENTATION}c0000000`,
  ]),
  'strongSwan, IKEv1': mainMode1(['aes256-sha256-modp2048'], 14_400, RACOON_HAND, STRONGSWAN_IDS),
  'strongSwan that names itself, IKEv2': ikeSaInit(['aes256-sha256-modp2048'], [STRONGSWAN]),
  'strongSwan that offers what Windows does': mainMode1(WINDOWS_OFFERS, 28_800, WINDOWS_HAND, STRONGSWAN_IDS),
  'Libreswan that names itself, IKEv1': mainMode1(['aes256-sha256-modp2048'], 28_800, RACOON_HAND, [
    DPD,
    LIBRESWAN,
    FRAGMENTATION,
    RFC_3947,
  ]),
  'Libreswan that names itself, IKEv2': ikeSaInit(['aes256-sha512-modp2048'], [LIBRESWAN]),
  'Culvert of an unknown release, IKEv1': mainMode1(['aes256-sha256-modp2048'], 14_400, RACOON_HAND, [
    Buffer.from(utf8Bytes('Culvert IKE 9')).toString('hex'),
  ]),
  'one proposal of anybody, IKEv1': mainMode1(['aes256-sha1-modp2048'], 28_800, RACOON_HAND, [RFC_3947, DPD]),
  'one proposal of anybody, IKEv2': ikeSaInit(['aes256-sha256-modp2048'], []),
} as const;
