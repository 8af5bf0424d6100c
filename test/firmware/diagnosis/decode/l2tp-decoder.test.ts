import { describe, expect, it } from 'vitest';
import type { DecodedMessage } from '../../../../firmware/diagnosis/decode/decoded.ts';
import { ByteWriter, concatBytes, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { writeAvp } from '../../../../firmware/protocol/l2tp/avp.ts';
import {
  type AvpFields,
  encodeControlMessage,
  type Hiding,
} from '../../../../firmware/protocol/l2tp/control-message.ts';
import type { ControlHeader } from '../../../../firmware/protocol/l2tp/header.ts';
import type { MessageName } from '../../../../firmware/protocol/l2tp/message-table.ts';
import { challengeResponse } from '../../../../firmware/protocol/l2tp/tunnel-authentication.ts';
import { ipv4, udp } from '../../../support/capture-builder.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { decodedPackets } from './decoded-packets.ts';

const CALLER = '192.0.2.1';
const SERVER = '192.0.2.2';
const SECRET = utf8Bytes('tunnel secret');
const WRONG = utf8Bytes('another secret');

const NONE: ControlHeader = { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 };
const REQUEST: AvpFields = {
  protocolVersion: { version: 1, revision: 0 },
  hostName: 'branch',
  framingCapabilities: 3,
  assignedTunnelId: 11,
};
const REPLY: AvpFields = { ...REQUEST, hostName: 'office', assignedTunnelId: 22 };

function toServer(header: Partial<ControlHeader>, name: MessageName, fields: AvpFields, port = 40_000): Uint8Array {
  const message = encodeControlMessage({ ...NONE, ...header }, name, fields);
  return ipv4(udp(message, port, 1701), { source: CALLER, destination: SERVER });
}

function toCaller(header: Partial<ControlHeader>, name: MessageName, fields: AvpFields, port = 1701): Uint8Array {
  const message = encodeControlMessage({ ...NONE, ...header }, name, fields);
  return ipv4(udp(message, port, 40_000), { source: SERVER, destination: CALLER });
}

/** AVPs of the first message, by name. */
function avps(message: DecodedMessage | undefined): ReadonlyMap<unknown, unknown> {
  const list = message?.fields['avps'];
  return new Map(Array.isArray(list) ? list.map((avp) => [avp.name, avp]) : []);
}

describe('tunnel authentication', () => {
  const challenges = [new Uint8Array(16).fill(1), new Uint8Array(16).fill(2)] as const;
  const packets = [
    toServer({}, 'SCCRQ', { ...REQUEST, challenge: challenges[0] }),
    toCaller({ tunnelId: 11, nr: 1 }, 'SCCRP', {
      ...REPLY,
      challenge: challenges[1],
      challengeResponse: challengeResponse('SCCRP', SECRET, challenges[0]),
    }),
    toServer({ tunnelId: 22, ns: 1, nr: 1 }, 'SCCCN', {
      challengeResponse: challengeResponse('SCCCN', SECRET, challenges[1]),
    }),
  ];

  it('is verified both ways with the secret', async () => {
    const messages = await decodedPackets(packets, { secrets: [WRONG, SECRET] });
    expect(messages.map(({ fields }) => fields['authentication'])).toEqual([
      undefined,
      'challenge response: correct',
      'challenge response: correct',
    ]);
    expect(messages[1]?.summary).toBe('SCCRP tunnel 11 session 0 Ns 0 Nr 1: challenge response: correct');
  });

  it('is told to be wrong with another secret, and not judged without one', async () => {
    const wrong = await decodedPackets(packets, { secrets: [WRONG] });
    expect(wrong[2]?.fields['authentication']).toBe('challenge response: wrong for this secret');
    const none = await decodedPackets(packets);
    expect(none.map(({ fields }) => 'authentication' in fields)).toEqual([false, false, false]);
  });

  it('cannot be judged when the capture begins too late', async () => {
    const late = await decodedPackets(packets.slice(2), { secrets: [SECRET] });
    expect(late[0]?.fields['authentication']).toBe('challenge response: its challenge is not in the capture');
  });

  it('is judged by the challenge of its own tunnel when several callers choose the same id', async () => {
    const other = new Uint8Array(16).fill(9);
    const from = (port: number, challenge: Uint8Array) => toServer({}, 'SCCRQ', { ...REQUEST, challenge }, port);
    const messages = await decodedPackets([from(40_000, challenges[0]), from(40_001, other), ...packets.slice(1)], {
      secrets: [SECRET],
    });
    expect(messages[2]?.fields['authentication']).toBe('challenge response: correct');
  });
});

describe('hidden AVPs', () => {
  const hiding: Hiding = { secret: SECRET, random: new SeededRandom(3), hides: () => true };
  const packet = ipv4(udp(encodeControlMessage(NONE, 'SCCRQ', REQUEST, hiding)));

  it('are read with the secret, and said to have been hidden', async () => {
    const [message] = await decodedPackets([packet], { secrets: [SECRET] });
    expect(avps(message).get('Assigned Tunnel ID')).toEqual({
      name: 'Assigned Tunnel ID',
      value: 11,
      mandatory: true,
      hidden: true,
    });
    expect(avps(message).get('Host Name')).not.toHaveProperty('hidden');
    expect(message?.error).toBeUndefined();
  });

  it('stay octets without the secret, and ask for it', async () => {
    const [message] = await decodedPackets([packet]);
    expect(avps(message).get('Assigned Tunnel ID')).toMatchObject({
      value: expect.stringMatching(/^[0-9a-f]+$/),
      meaning: 'hidden: give --secret',
    });
    expect(message?.summary).toMatch(/2 hidden AVPs: give --secret$/);
  });

  it('that another secret does not open are told, and are no error', async () => {
    const [message] = await decodedPackets([packet], { secrets: [WRONG] });
    expect(message?.summary).toMatch(/2 hidden AVPs, not readable with this secret$/);
    expect(message?.error).toBeUndefined();
  });
});

describe('messages that were sent again', () => {
  it('are flagged by their Ns, in either direction, and a new SCCRQ is no repetition', async () => {
    const request = toServer({}, 'SCCRQ', REQUEST);
    const reply = toCaller({ tunnelId: 11, nr: 1 }, 'SCCRP', REPLY);
    const hello = toCaller({ tunnelId: 11, ns: 1, nr: 2 }, 'HELLO', {});
    const another = toServer({}, 'SCCRQ', { ...REQUEST, hostName: 'restarted' });
    const messages = await decodedPackets([request, request, reply, hello, hello, another, reply, request]);
    const flags = messages.map(({ fields }) => fields['retransmission'] === true);
    expect(flags).toEqual([false, true, false, false, true, false, false, false]);
  });
});

describe('a tunnel on unusual ports', () => {
  it('is followed from the port that its SCCRQ came from to the one that its SCCRP comes from', async () => {
    const messages = await decodedPackets([
      toServer({}, 'SCCRQ', REQUEST),
      toCaller({ tunnelId: 11, nr: 1 }, 'SCCRP', REPLY, 50_000),
      ipv4(udp(encodeControlMessage({ ...NONE, tunnelId: 22, ns: 1, nr: 1 }, 'SCCCN', {}), 40_000, 50_000)),
      ipv4(udp(encodeControlMessage({ ...NONE, tunnelId: 23, ns: 1, nr: 1 }, 'SCCCN', {}), 40_000, 50_000)),
    ]);
    expect(messages.map(({ frame, fields }) => [frame, fields['messageType']])).toEqual([
      [1, 'SCCRQ'],
      [2, 'SCCRP'],
      [3, 'SCCCN'],
    ]);
  });
});

/** A control message of these AVPs. */
function raw(bits: number, ...avps: Parameters<typeof writeAvp>[1][]): Uint8Array {
  const writer = new ByteWriter().u16(bits).u16(0).u16(9).u16(0).u16(0).u16(0);
  for (const avp of avps) writeAvp(writer, avp);
  return writer.patchU16(2, writer.length).finish();
}

const HELLO_TYPE = { mandatory: true, hidden: false, vendor: 0, type: 0, value: Uint8Array.of(0, 6) };

describe('what no table has', () => {
  it('is told by its numbers, with its octets', async () => {
    const cisco = { mandatory: false, hidden: false, vendor: 9, type: 1, value: Uint8Array.of(0xab, 0xcd) };
    const [message] = await decodedPackets([
      ipv4(udp(raw(0xc802, HELLO_TYPE, cisco, { ...cisco, vendor: 0, type: 999 }))),
    ]);
    expect([...avps(message).values()].slice(1)).toEqual([
      { name: 'AVP 1 of vendor 9', value: 'abcd', mandatory: false, vendor: 9, type: 1 },
      { name: 'AVP 999', value: 'abcd', mandatory: false, vendor: 0, type: 999 },
    ]);
    const unknown = { ...HELLO_TYPE, value: Uint8Array.of(0, 77) };
    expect((await decodedPackets([ipv4(udp(raw(0xc802, unknown)))]))[0]?.fields['messageType']).toBe('message type 77');
  });

  it('is named: L2TPv3, L2F', async () => {
    const v3 = concatBytes(raw(0xc803, HELLO_TYPE));
    const messages = await decodedPackets([ipv4(udp(v3)), ipv4(udp(Uint8Array.of(0, 1, 0, 0)))]);
    expect(messages).toMatchObject([
      { protocol: 'l2tpv3', summary: 'HELLO (L2TPv3) control connection 589824 Ns 0 Nr 0' },
      { protocol: 'l2f' },
    ]);
  });
});

it('a data message of L2TPv3 is told where everything is wanted', async () => {
  const data = [ipv4(udp(Uint8Array.of(0, 3, 0, 0, 0, 0, 0, 9, 1, 2)))];
  expect(await decodedPackets(data)).toEqual([]);
  expect(await decodedPackets(data, { all: true })).toMatchObject([{ summary: 'L2TPv3 data, session 9' }]);
});

describe('a malformed message', () => {
  const hello = raw(0xc802, HELLO_TYPE);

  it.each([
    ['that ends inside its header', hello.subarray(0, 5), { offset: 4, field: 'Tunnel ID' }],
    ['with a Length beyond the datagram', raw(0xc802, HELLO_TYPE).fill(0xff, 2, 4), { offset: 2, field: 'Length' }],
    ['without the S bit', raw(0xc002, HELLO_TYPE).subarray(0), { offset: 0, field: 'S bit' }],
    [
      'with an AVP shorter than its header',
      hello.slice().fill(0, 12, 13).fill(5, 13, 14),
      { offset: 12, field: 'AVP Length' },
    ],
    ['with an AVP beyond its end', hello.slice().fill(0x50, 13, 14), { offset: 18, field: 'Message Type' }],
    ['of another version', Uint8Array.of(0xc8, 5, 0, 12), { offset: 1, field: 'Ver' }],
  ])('%s is told with offset and field', async (_what, message, error) => {
    expect(await decodedPackets([ipv4(udp(message))])).toMatchObject([{ protocol: 'l2tp', error }]);
  });

  it('with one AVP that cannot be used tells the others all the same', async () => {
    const short = { mandatory: true, hidden: false, vendor: 0, type: 9, value: Uint8Array.of(1) };
    const host = { ...short, type: 7, value: utf8Bytes('lac') };
    const [message] = await decodedPackets([ipv4(udp(raw(0xc802, HELLO_TYPE, short, host)))]);
    expect(avps(message).get('Host Name')).toMatchObject({ value: 'lac' });
    expect(avps(message).get('Assigned Tunnel ID')).toMatchObject({ value: '01' });
    expect(message?.error).toMatchObject({ offset: 26, field: 'Assigned Tunnel ID' });
  });
});

describe('words', () => {
  it('are found for results, Q.931 causes, PPP causes and what a stranger wrote', async () => {
    const [stop, cdn] = await decodedPackets([
      toServer({ tunnelId: 3, ns: 1 }, 'StopCCN', { assignedTunnelId: 1, resultCode: { resultCode: 6 } }),
      toServer({ tunnelId: 3, sessionId: 2, ns: 2 }, 'CDN', {
        assignedSessionId: 1,
        resultCode: { resultCode: 2, errorCode: 4, message: 'red\u001b[31m' },
        q931CauseCode: { causeCode: 17, causeMessage: 0 },
      }),
    ]);
    expect(stop?.summary).toContain('the requester is being shut down (StopCCN result 6)');
    expect(cdn?.summary).toContain(
      'insufficient resources to handle this operation now (CDN result 2, error 4): "red\\x1b[31m"',
    );
    expect(avps(cdn).get('Q.931 Cause Code')).toMatchObject({ meaning: 'user busy' });
  });
});

describe('a data message', () => {
  const echo = Uint8Array.of(0xff, 3, 0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4);

  it.each([
    ['plain', [0x0002, 9, 4], {}],
    ['with Length', [0x4002, 20, 9, 4], {}],
    ['with Ns and Nr', [0x0802, 9, 4, 7, 0], { ns: 7, nr: 0 }],
    ['with an offset of none', [0x0202, 9, 4, 0], { offsetSize: 0 }],
    ['with an offset and priority', [0x0302, 9, 4, 2, 0xffff], { offsetSize: 2, priority: true }],
  ])('is read with any header: %s', async (_what, header, extra) => {
    const writer = new ByteWriter();
    for (const field of header) writer.u16(field);
    const [message] = await decodedPackets([ipv4(udp(writer.bytes(echo).finish()))]);
    expect(message).toMatchObject({ protocol: 'ppp-lcp', summary: 'Echo-Request id 1 magic 0x01020304' });
    expect(message?.fields).toEqual({
      code: 'Echo-Request',
      identifier: 1,
      magicNumber: 0x0102_0304,
      data: '',
      tunnelId: 9,
      sessionId: 4,
      ...extra,
    });
  });
});
