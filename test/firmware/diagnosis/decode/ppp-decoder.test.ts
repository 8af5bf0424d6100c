import { describe, expect, it } from 'vitest';
import type { DecodedMessage } from '../../../../firmware/diagnosis/decode/decoded.ts';
import { ByteWriter, concatBytes, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { encodeControlMessage } from '../../../../firmware/protocol/l2tp/control-message.ts';
import { CHAP_MD5 } from '../../../../firmware/protocol/ppp/chap-md5.ts';
import { MSCHAP_V1 } from '../../../../firmware/protocol/ppp/mschapv1.ts';
import { MSCHAP_V2 } from '../../../../firmware/protocol/ppp/mschapv2.ts';
import { encodeFrame } from '../../../../firmware/protocol/ppp/packet.ts';
import {
  PPP_CCP,
  PPP_CHAP,
  PPP_EAP,
  PPP_IP,
  PPP_LCP,
  PPP_PAP,
} from '../../../../firmware/protocol/ppp/protocol-numbers.ts';
import { ipv4, udp } from '../../../support/capture-builder.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { decodedPackets } from './decoded-packets.ts';

const CALLER = '192.0.2.1';
const SERVER = '192.0.2.2';
const bytesOf = utf8Bytes;

/** An L2TP data message. */
function data(frame: Uint8Array, tunnelId: number, sessionId: number): Uint8Array {
  return new ByteWriter().u16(2).u16(tunnelId).u16(sessionId).bytes(frame).finish();
}

const toServer = (frame: Uint8Array, sessionId = 4) =>
  ipv4(udp(data(frame, 22, sessionId)), { source: CALLER, destination: SERVER });
const toCaller = (frame: Uint8Array, sessionId = 3) =>
  ipv4(udp(data(frame, 11, sessionId)), { source: SERVER, destination: CALLER });

function packet(protocol: number, code: number, content: Uint8Array, identifier = 1): Uint8Array {
  return encodeFrame(protocol, { code, identifier, data: content });
}

const sized = (value: Uint8Array) => concatBytes(Uint8Array.of(value.length), value);

/** A tunnel of ids 11 and 22, with one session for each pair of ids. */
function established(...sessions: readonly (readonly [number, number])[]): readonly Uint8Array[] {
  const start = { protocolVersion: { version: 1, revision: 0 }, hostName: 'x', framingCapabilities: 3 };
  const control = (up: boolean, ...message: Parameters<typeof encodeControlMessage>) =>
    ipv4(udp(encodeControlMessage(...message)), up ? {} : { source: SERVER, destination: CALLER });
  const head = { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 };
  return [
    control(true, head, 'SCCRQ', { ...start, assignedTunnelId: 11 }),
    control(false, { ...head, tunnelId: 11 }, 'SCCRP', { ...start, assignedTunnelId: 22 }),
    ...sessions.flatMap(([ofCaller, ofServer], index) => [
      control(true, { ...head, tunnelId: 22, ns: 1 + index }, 'ICRQ', {
        assignedSessionId: ofCaller,
        callSerialNumber: index,
      }),
      control(false, { ...head, tunnelId: 11, sessionId: ofCaller, ns: 1 + index }, 'ICRP', {
        assignedSessionId: ofServer,
      }),
    ]),
  ];
}

const verdicts = (messages: readonly DecodedMessage[]) =>
  messages.flatMap(({ fields }) => ('authentication' in fields ? [fields['authentication']] : []));

describe('the PPP header', () => {
  const echo = packet(PPP_LCP, 9, Uint8Array.of(1, 2, 3, 4));

  it.each([
    ['whole', concatBytes(Uint8Array.of(0xff, 3), echo)],
    ['without Address and Control', echo],
  ])('is read %s', async (_form, frame) => {
    expect(await decodedPackets([toServer(frame)])).toMatchObject([
      { protocol: 'ppp-lcp', summary: 'Echo-Request id 1 magic 0x01020304' },
    ]);
  });

  it('of one octet is read, for user packets', async () => {
    const user = concatBytes(Uint8Array.of(PPP_IP), ipv4(udp(bytesOf('question'), 5353, 53), { source: '10.1.0.1' }));
    expect(await decodedPackets([toServer(user)])).toEqual([]);
    expect(await decodedPackets([toServer(user)], { all: true })).toMatchObject([
      {
        protocol: 'ip',
        summary: 'UDP from 10.1.0.1:5353 to 192.0.2.2:53, 16 octets',
        source: { address: CALLER, port: 1701 },
        fields: { version: 4, protocol: 'UDP', sourcePort: 5353, destinationPort: 53 },
      },
    ]);
  });

  it('that is missing is an error', async () => {
    expect(await decodedPackets([toServer(new Uint8Array(0))])).toMatchObject([
      { protocol: 'ppp', error: { offset: 0 } },
    ]);
  });
});

describe('negotiations', () => {
  it('are told option by option, with what each value means', async () => {
    const options = [[1, 5, 0x78], [3, 0xc2, 0x23, 0x81], [7], [19, 3, 2, 0, 0, 0, 0, 9], [99, 1]].map(
      ([type = 0, ...octets]) => Uint8Array.of(type, 2 + octets.length, ...octets),
    );
    const [message] = await decodedPackets([toServer(packet(PPP_LCP, 1, concatBytes(...options)))]);
    expect(message?.fields['options']).toEqual([
      { name: 'MRU', value: 1400 },
      { name: 'Authentication-Protocol', value: 'CHAP 81', meaning: 'MS-CHAPv2' },
      { name: 'Protocol-Field-Compression', value: true },
      { name: 'Endpoint-Discriminator', value: '03020000000009', meaning: 'MAC address 02:00:00:00:00:09' },
      { name: 'option 99', value: '01' },
    ]);
  });

  it('of MPPE say which bits are set', async () => {
    const option = Uint8Array.of(18, 6, 1, 0, 0, 0x40);
    const [message] = await decodedPackets([toServer(packet(PPP_CCP, 1, option))]);
    expect(message?.summary).toBe('Configure-Request id 1 MPPE stateless, 128 bits');
  });

  it('with an option of a wrong length tell the others, and what is wrong', async () => {
    const [message] = await decodedPackets([toServer(packet(PPP_LCP, 1, Uint8Array.of(1, 3, 5, 7, 2)))]);
    expect(message).toMatchObject({
      fields: { options: [{ name: 'MRU', value: '05' }, { name: 'Protocol-Field-Compression' }] },
      error: { offset: 6, field: 'MRU' },
    });
  });

  it('with an option beyond the packet are malformed there', async () => {
    const [message] = await decodedPackets([toServer(packet(PPP_LCP, 1, Uint8Array.of(5, 6, 1)))]);
    expect(message?.error).toMatchObject({ offset: 8, field: 'Magic-Number' });
  });

  it('name the protocol and the code that are rejected', async () => {
    const messages = await decodedPackets([
      toServer(packet(PPP_LCP, 8, Uint8Array.of(0x80, 0x57, 1))),
      toServer(packet(PPP_LCP, 7, Uint8Array.of(13, 1, 0, 4))),
    ]);
    expect(messages.map(({ summary }) => summary)).toEqual([
      'Protocol-Reject id 1 IPV6CP',
      'Code-Reject id 1 Time-Remaining',
    ]);
  });

  it('whose Length is beyond the frame are malformed', async () => {
    const frame = packet(PPP_LCP, 9, Uint8Array.of(1, 2, 3, 4)).fill(0xff, 4, 6);
    expect((await decodedPackets([toServer(frame)]))[0]?.error).toMatchObject({ offset: 4, field: 'Length' });
  });
});

const PASSWORDS = { passwords: ['not this one', 'alice-pw'] };
const WRONG = { passwords: ['not this one'] };

describe('PAP', () => {
  const request = toServer(packet(PPP_PAP, 1, concatBytes(sized(bytesOf('alice')), sized(bytesOf('alice-pw')))));

  it('is judged by the password, which is never printed', async () => {
    const right = await decodedPackets([request], PASSWORDS);
    expect(right[0]?.fields).toMatchObject({ peerId: 'alice', passwordLength: 8, authentication: 'password: correct' });
    expect(JSON.stringify(right)).not.toContain('alice-pw');
    expect(verdicts(await decodedPackets([request], WRONG))).toEqual(['password: not the one given']);
  });
});

const ALGORITHMS = [
  ['CHAP-MD5', CHAP_MD5, 20],
  ['MS-CHAPv1', MSCHAP_V1, 8],
  ['MS-CHAPv2', MSCHAP_V2, 16],
] as const;

describe('CHAP', () => {
  const name = bytesOf('alice');
  const random = new SeededRandom(5);

  for (const [title, algorithm, challengeLength] of ALGORITHMS) {
    const challenge = random.bytes(challengeLength);
    const input = { identifier: 7, challenge, name, password: 'alice-pw' };
    const { value } = algorithm.respond(input, random);
    const asked = toCaller(packet(PPP_CHAP, 1, concatBytes(sized(challenge), bytesOf('office')), 7));
    const answered = toServer(packet(PPP_CHAP, 2, concatBytes(sized(value), name), 7));

    it(`with ${title} is judged by the challenge that went the other way`, async () => {
      const session = [...established([3, 4]), asked, answered];
      expect(verdicts(await decodedPackets(session, PASSWORDS))).toEqual([`${title} response: correct`]);
      expect(verdicts(await decodedPackets(session, WRONG))).toEqual([`${title} response: wrong for this password`]);
      expect(verdicts(await decodedPackets(session))).toEqual([]);
    });

    it(`with ${title} is judged when the capture began in the middle of the session`, async () => {
      expect(verdicts(await decodedPackets([asked, answered], PASSWORDS))).toEqual([`${title} response: correct`]);
    });
  }

  it('keeps the sessions of a tunnel apart', async () => {
    const challenges = [random.bytes(16), random.bytes(16)] as const;
    const answer = (challenge: Uint8Array) =>
      CHAP_MD5.respond({ identifier: 1, challenge, name, password: 'alice-pw' }, random);
    const ask = (challenge: Uint8Array, session: number) =>
      toCaller(packet(PPP_CHAP, 1, concatBytes(sized(challenge), bytesOf('office'))), session);
    const reply = (challenge: Uint8Array, session: number) =>
      toServer(packet(PPP_CHAP, 2, concatBytes(sized(answer(challenge).value), name)), session);
    const packets = [
      ...established([3, 4], [5, 6]),
      ask(challenges[0], 3),
      ask(challenges[1], 5),
      reply(challenges[0], 4),
      reply(challenges[1], 6),
    ];
    const right = 'CHAP-MD5 response: correct';
    expect(verdicts(await decodedPackets(packets, PASSWORDS))).toEqual([right, right]);
  });

  it('says that a response comes without its challenge', async () => {
    const response = toServer(packet(PPP_CHAP, 2, concatBytes(sized(new Uint8Array(16)), name)));
    expect(verdicts(await decodedPackets([response], PASSWORDS))).toEqual([
      'response: its challenge is not in the capture',
    ]);
  });

  it("with MS-CHAPv2 judges the server's proof as well", async () => {
    const challenge = random.bytes(16);
    const input = { identifier: 1, challenge, name, password: 'alice-pw' };
    const { value } = MSCHAP_V2.respond(input, random);
    const { successMessage } = MSCHAP_V2.verify(input, value);
    const said = (message: string) =>
      decodedPackets(
        [
          ...established([3, 4]),
          toCaller(packet(PPP_CHAP, 1, concatBytes(sized(challenge), bytesOf('office')))),
          toServer(packet(PPP_CHAP, 2, concatBytes(sized(value), name))),
          toCaller(packet(PPP_CHAP, 3, bytesOf(message))),
        ],
        PASSWORDS,
      );
    expect(verdicts(await said(successMessage))[1]).toBe("server's proof: correct");
    expect(verdicts(await said(`S=${'0'.repeat(40)}`))[1]).toBe("server's proof: wrong for this password");
  });
});

describe('EAP', () => {
  const name = bytesOf('alice');
  const random = new SeededRandom(6);

  it('tells identity, notification and what is wanted instead', async () => {
    const messages = await decodedPackets([
      toServer(packet(PPP_EAP, 2, concatBytes(Uint8Array.of(1), name))),
      toCaller(packet(PPP_EAP, 1, concatBytes(Uint8Array.of(2), bytesOf('soon')))),
      toServer(packet(PPP_EAP, 2, Uint8Array.of(3, 26))),
      toCaller(packet(PPP_EAP, 3, new Uint8Array(0))),
    ]);
    expect(messages.map(({ protocol, summary }) => `${protocol} ${summary}`)).toEqual([
      'ppp-eap Response id 1 Identity "alice"',
      'ppp-eap Request id 1 Notification "soon"',
      'ppp-eap Response id 1 Nak, would do MSCHAPv2',
      'ppp-eap Success id 1',
    ]);
  });

  it('is judged by the password with MD5-Challenge', async () => {
    const challenge = random.bytes(16);
    const { value } = CHAP_MD5.respond({ identifier: 9, challenge, name, password: 'alice-pw' }, random);
    const packets = [
      toCaller(packet(PPP_EAP, 1, concatBytes(Uint8Array.of(4), sized(challenge), bytesOf('office')), 9)),
      toServer(packet(PPP_EAP, 2, concatBytes(Uint8Array.of(4), sized(value), name), 9)),
    ];
    expect(verdicts(await decodedPackets(packets, PASSWORDS))).toEqual(['CHAP-MD5 response: correct']);
    expect(verdicts(await decodedPackets(packets, WRONG))).toEqual(['CHAP-MD5 response: wrong for this password']);
  });

  it('is judged by the password with MSCHAPv2, and so is the server', async () => {
    const challenge = random.bytes(16);
    const input = { identifier: 3, challenge, name, password: 'alice-pw' };
    const { value } = MSCHAP_V2.respond(input, random);
    const { successMessage } = MSCHAP_V2.verify(input, value);
    const inside = (opCode: number, content: Uint8Array) =>
      concatBytes(Uint8Array.of(26, opCode, 3, 0, 4 + content.length), content);
    const packets = [
      toCaller(packet(PPP_EAP, 1, inside(1, concatBytes(sized(challenge), bytesOf('office'))), 5)),
      toServer(packet(PPP_EAP, 2, inside(2, concatBytes(sized(value), name)), 5)),
      toCaller(packet(PPP_EAP, 1, inside(3, bytesOf(successMessage)), 6)),
      toServer(packet(PPP_EAP, 2, Uint8Array.of(26, 3), 6)),
    ];
    expect(verdicts(await decodedPackets(packets, PASSWORDS))).toEqual([
      'MS-CHAPv2 response: correct',
      "server's proof: correct",
    ]);
  });
});

describe('what is not PPP control', () => {
  it('is left out, or told in a line where everything is wanted', async () => {
    const compressed = concatBytes(Uint8Array.of(0xfd), new Uint8Array(20));
    expect(await decodedPackets([toServer(compressed)])).toEqual([]);
    expect(await decodedPackets([toServer(compressed)], { all: true })).toMatchObject([
      { protocol: 'ppp-compressed', summary: 'Compressed frame, 20 octets' },
    ]);
  });
});
