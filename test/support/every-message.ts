/** Messages with every AVP and every option of the protocols' tables, each in an IPv4 packet: what a decoder must know. */
import { ByteWriter, concatBytes, utf8Bytes } from '../../firmware/protocol/bytes.ts';
import { avpDefinition, type FieldKey } from '../../firmware/protocol/l2tp/avp-table.ts';
import type { AvpKind, AvpValues } from '../../firmware/protocol/l2tp/avp-value.ts';
import { type AvpFields, encodeControlMessage } from '../../firmware/protocol/l2tp/control-message.ts';
import { encodeZlb } from '../../firmware/protocol/l2tp/header.ts';
import { MESSAGES, type MessageName } from '../../firmware/protocol/l2tp/message-table.ts';
import { encodeFrame } from '../../firmware/protocol/ppp/packet.ts';
import {
  PPP_CCP,
  PPP_CHAP,
  PPP_EAP,
  PPP_IPCP,
  PPP_IPV6CP,
  PPP_LCP,
  PPP_PAP,
} from '../../firmware/protocol/ppp/protocol-numbers.ts';
import { ipv4, udp } from './capture-builder.ts';
import { SeededRandom } from './seeded-random.ts';

/** The tunnel secret that AVPs are hidden with. */
export const SECRET = 'branch secret';

const random = new SeededRandom(1);

/** A value of each kind. */
const VALUES: { readonly [Kind in AvpKind]: AvpValues[Kind] } = {
  u16: 3,
  u32: 56_000,
  u64: 0x0102030405060708n,
  bitmask: 3,
  bytes: Uint8Array.of(1, 4, 5, 0xdc),
  text: 'some text',
  flag: true,
  'protocol-version': { version: 1, revision: 0 },
  'result-code': { resultCode: 2, errorCode: 6, message: 'no more lines' },
  'q931-cause': { causeCode: 17, causeMessage: 2, advisoryMessage: 'busy' },
  'challenge-response': new Uint8Array(16).fill(7),
  'call-errors': {
    crcErrors: 1,
    framingErrors: 2,
    hardwareOverruns: 3,
    bufferOverruns: 4,
    timeoutErrors: 5,
    alignmentErrors: 6,
  },
  accm: { sendAccm: 0xa0000, receiveAccm: 0xffff_ffff },
  'ppp-disconnect': { code: 16, protocol: 0xc223, direction: 1, message: 'bad password' },
  'speed-update': { remoteSessionId: 7, txConnectSpeed: 1_000_000, rxConnectSpeed: 20_000_000 },
};

function allFields(name: MessageName): AvpFields {
  const { required, optional } = MESSAGES[name];
  const keys: readonly FieldKey[] = [...required, ...optional];
  // Each value is of the kind that the table gives its key.
  return Object.fromEntries(keys.map((key) => [key, VALUES[avpDefinition(key).kind]])) as AvpFields;
}

function controlMessages(hidden: boolean): readonly Uint8Array[] {
  return (Object.keys(MESSAGES) as MessageName[]).map((name, ns) => {
    const header = { tunnelId: name === 'SCCRQ' ? 0 : 9, sessionId: 4, ns: hidden ? ns + 100 : ns, nr: 1 };
    const hiding = hidden ? { secret: utf8Bytes(SECRET), random, hides: () => true } : undefined;
    return encodeControlMessage(header, name, allFields(name), hiding);
  });
}

/** An option: its type and its data. */
function option(type: number, ...data: number[]): Uint8Array {
  return Uint8Array.of(type, 2 + data.length, ...data);
}

// Not Quality-Protocol: tshark 4.0 reads the Reporting-Period of LQR beyond the option, and gives the packet up.
const LCP_OPTIONS = [
  option(1, 5, 0x78),
  option(2, 0, 0x0a, 0, 0),
  option(3, 0xc2, 0x23, 5),
  option(3, 0xc2, 0x23, 0x81),
  option(3, 0xc0, 0x23),
  option(3, 0xc2, 0x27),
  option(5, 1, 2, 3, 4),
  option(7),
  option(8),
  option(13, 6),
  option(17, 5, 0xdc),
  option(18),
  option(19, 1, 0x61, 0x62),
  option(19, 3, 2, 0, 0, 0, 0, 9),
];
const IPCP_OPTIONS = [
  option(2, 0, 0x2d, 0x0f, 1),
  option(3, 10, 98, 0, 10),
  ...[129, 130, 131, 132].map((type) => option(type, 10, 98, 0, 1)),
];
const CCP_OPTIONS = [option(18, 1, 0, 0, 0x60), option(26, 0x78, 0), option(21, 0x2f)];

const bytesOf = (text: string) => utf8Bytes(text);
const sized = (value: Uint8Array) => concatBytes(Uint8Array.of(value.length), value);
const magic = Uint8Array.of(1, 2, 3, 4);

/** An EAP-MSCHAPv2 packet within EAP's data. */
function eapMsChapV2(opCode: number, data: Uint8Array): Uint8Array {
  return concatBytes(Uint8Array.of(26, opCode, 7, 0, 4 + data.length), data);
}

/** Protocol, code, data. */
const PPP_PACKETS: readonly (readonly [number, number, Uint8Array])[] = [
  ...[1, 2, 3, 4].map((code) => [PPP_LCP, code, concatBytes(...LCP_OPTIONS)] as const),
  [PPP_LCP, 5, bytesOf('User request')],
  [PPP_LCP, 6, new Uint8Array(0)],
  [PPP_LCP, 7, Uint8Array.of(14, 1, 0, 4)],
  [PPP_LCP, 8, Uint8Array.of(0x80, 0xfd, 1, 1, 0, 4)],
  [PPP_LCP, 9, magic],
  [PPP_LCP, 10, concatBytes(magic, Uint8Array.of(9, 9))],
  [PPP_LCP, 11, magic],
  [PPP_LCP, 12, concatBytes(magic, bytesOf('MSRASV5.20'))],
  [PPP_LCP, 13, concatBytes(magic, Uint8Array.of(0, 0, 0, 60), bytesOf('soon'))],
  [PPP_IPCP, 1, concatBytes(...IPCP_OPTIONS)],
  [PPP_IPCP, 3, concatBytes(...IPCP_OPTIONS)],
  [PPP_IPV6CP, 1, option(1, 2, 0, 0, 0xff, 0xfe, 0, 0, 9)],
  [PPP_CCP, 1, concatBytes(...CCP_OPTIONS)],
  [PPP_CCP, 14, new Uint8Array(0)],
  [PPP_PAP, 1, concatBytes(sized(bytesOf('alice')), sized(bytesOf('alice-pw')))],
  [PPP_PAP, 2, sized(bytesOf('Login ok'))],
  [PPP_PAP, 3, sized(bytesOf('Login incorrect'))],
  [PPP_CHAP, 1, concatBytes(sized(new Uint8Array(16).fill(3)), bytesOf('office'))],
  [PPP_CHAP, 2, concatBytes(sized(new Uint8Array(16).fill(4)), bytesOf('alice'))],
  [PPP_CHAP, 2, concatBytes(sized(new Uint8Array(49).fill(5)), bytesOf('alice'))],
  [PPP_CHAP, 3, bytesOf('S=0123456789ABCDEF0123456789ABCDEF01234567 M=Welcome')],
  [PPP_CHAP, 4, bytesOf('E=691 R=0 C=00112233445566778899AABBCCDDEEFF V=3 M=Authentication failed')],
  [PPP_EAP, 1, Uint8Array.of(1)],
  [PPP_EAP, 2, concatBytes(Uint8Array.of(1), bytesOf('alice'))],
  [PPP_EAP, 1, concatBytes(Uint8Array.of(2), bytesOf('change your password soon'))],
  [PPP_EAP, 2, Uint8Array.of(3, 26, 4)],
  [PPP_EAP, 1, concatBytes(Uint8Array.of(4), sized(new Uint8Array(16).fill(3)), bytesOf('office'))],
  [PPP_EAP, 2, concatBytes(Uint8Array.of(4), sized(new Uint8Array(16).fill(4)), bytesOf('alice'))],
  [PPP_EAP, 1, eapMsChapV2(1, concatBytes(sized(new Uint8Array(16).fill(6)), bytesOf('office')))],
  [PPP_EAP, 2, eapMsChapV2(2, concatBytes(sized(new Uint8Array(49).fill(6)), bytesOf('alice')))],
  [PPP_EAP, 1, eapMsChapV2(3, bytesOf('S=0123456789ABCDEF0123456789ABCDEF01234567 M=OK'))],
  [PPP_EAP, 2, Uint8Array.of(26, 3)],
  [PPP_EAP, 3, new Uint8Array(0)],
  [PPP_EAP, 4, new Uint8Array(0)],
];

/** The headers that an L2TP data message may have: plain, with Length, with Ns and Nr, with an offset. */
const DATA_HEADERS: readonly (readonly number[])[] = [
  [0x0002, 9, 4],
  [0x0802, 9, 4, 1, 0],
  [0x0202, 9, 4, 0],
  [0x0902, 9, 4, 2, 0],
];

function pppMessages(): readonly Uint8Array[] {
  return PPP_PACKETS.map(([protocol, code, data], index) => {
    const frame = encodeFrame(protocol, { code, identifier: index + 1, data });
    const writer = new ByteWriter();
    for (const field of DATA_HEADERS[index % DATA_HEADERS.length] ?? []) writer.u16(field);
    return writer.bytes(Uint8Array.of(0xff, 3)).bytes(frame).finish();
  });
}

/** UDP payloads of port 1701. */
export const EVERY_PAYLOAD: readonly Uint8Array[] = [
  ...controlMessages(false),
  ...controlMessages(true),
  encodeZlb({ tunnelId: 9, sessionId: 0, ns: 4, nr: 5 }),
  ...pppMessages(),
];

/** IPv4 packets. */
export const EVERY_MESSAGE: readonly Uint8Array[] = EVERY_PAYLOAD.map((payload) => ipv4(udp(payload)));
