import { describe, expect, it } from 'vitest';
import { hex, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import type { EapMethodName } from '../../../../firmware/protocol/eap/methods.ts';
import { encodeEap } from '../../../../firmware/protocol/eap/packet.ts';
import { chapMd5 } from '../../../../firmware/protocol/ppp/chap-md5.ts';
import type { PppLinkOptions, Verdict } from '../../../../firmware/protocol/ppp/link-types.ts';
import { MSCHAP_V2 } from '../../../../firmware/protocol/ppp/mschapv2.ts';
import { PPP_EAP, PPP_IPCP, PPP_LCP } from '../../../../firmware/protocol/ppp/protocol-numbers.ts';
import { option, Pair, Solo, TestRandom, type Wire } from './simulation.ts';

const EAP_OPTION = option(3, 0xc2, 0x27);
const SECRET = utf8Bytes('alice-pw');

function clientOptions(eapMethods?: readonly EapMethodName[], password = 'alice-pw'): PppLinkOptions {
  return {
    mru: 1400,
    authenticatee: { user: 'alice', password, methods: ['eap'], ...(eapMethods ? { eapMethods } : {}) },
    ipcp: { role: 'client', requestDns: true },
  };
}

function serverOptions(eapMethods?: readonly EapMethodName[]): PppLinkOptions {
  return {
    mru: 1400,
    authenticator: {
      name: 'lns',
      methods: ['eap'],
      password: (user) => (user === 'alice' ? 'alice-pw' : undefined),
      ...(eapMethods ? { eapMethods } : {}),
    },
    ipcp: { role: 'server', assign: () => ({ localAddress: '10.0.0.1', peerAddress: '10.0.0.7', dns: [] }) },
  };
}

/** A client in the Authentication phase, asked for EAP. */
function client(eapMethods?: readonly EapMethodName[]): Solo {
  const solo = new Solo(clientOptions(eapMethods)).begin();
  solo.hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 1, [EAP_OPTION]);
  return solo.hear(PPP_EAP, 1, 1, [1]);
}

function server(options: PppLinkOptions = serverOptions()): Solo {
  const solo = new Solo(options).begin().hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 1, []);
  expect(solo.link.view.phase).toBe('authenticate');
  return solo;
}

/** The Type-Data of a challenge of MS-CHAPv2, with this id. */
function mschapChallenge(id: number): number[] {
  return [26, 1, id, 0, 21 + 3, 16, ...new Uint8Array(16).fill(9), ...utf8Bytes('srv')];
}

describe('two links with EAP', () => {
  it.each([
    ['MSCHAPv2, which both like best', undefined, undefined, 26],
    ['MD5', ['md5'], ['md5'], 4],
    ['the one that the peer suggests instead', ['md5'], ['mschapv2', 'md5'], 4],
  ] as const)('come up by %s', (_name, ours, theirs, type) => {
    const pair = new Pair(clientOptions(ours), serverOptions(theirs)).start();
    pair.run(60_000, () => pair.a.isOpen && pair.b.isOpen);
    expect([pair.a.link.view, pair.b.link.view]).toMatchObject([
      { phase: 'open', authentication: 'eap', user: 'alice' },
      { phase: 'open', authentication: 'eap', user: 'alice' },
    ]);
    expect(pair.b.sentOf(PPP_EAP, 1).at(-1)?.data[0]).toBe(type);
  });

  it.each(['md5', 'mschapv2'] as const)('say that the password is wrong, by %s', (method) => {
    const pair = new Pair(clientOptions([method], 'wrong'), serverOptions()).start();
    pair.run(60_000, () => pair.a.isDone && pair.b.isDone);
    expect(pair.a.failure).toMatchObject({ step: 'authentication', remedy: 'check the user name and password' });
    expect(pair.b.failure?.reason).toBe('the peer did not prove itself as user alice (EAP)');
  });

  it('say which methods they have, where there is none in common', () => {
    const pair = new Pair(clientOptions(['md5']), serverOptions(['mschapv2'])).start();
    pair.run(60_000, () => pair.a.isDone && pair.b.isDone);
    expect(pair.a.failure?.reason).toBe(
      'the server wants MSCHAPv2 of user alice within EAP, and this side does EAP-MD5',
    );
    expect(pair.b.failure?.reason).toBe('the peer alice speaks none of the methods of EAP that this side offers');
  });

  it('come up on a line that loses every third frame', () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = new TestRandom(seed);
      const wire: Wire = () => (random.next() < 0.33 ? 'lost' : 1 + Math.floor(random.next() * 300));
      const pair = new Pair(clientOptions(), serverOptions(), wire, seed).start();
      pair.run(300_000, () => (pair.a.isOpen && pair.b.isOpen) || pair.a.isDone || pair.b.isDone);
      const reason = pair.a.failure?.reason ?? pair.b.failure?.reason;
      // Half a minute may be too short on such a line, but nobody is called a liar for it.
      expect(reason === undefined || !/refused|prove itself as/.test(reason), `seed ${seed}: ${reason}`).toBe(true);
    }
  });
});

describe('EAP as the one that proves itself', () => {
  it('answers a repeated Request the same, and a Notification with nothing but its text told', () => {
    const solo = client()
      .hear(PPP_EAP, 1, 1, [1])
      .hear(PPP_EAP, 1, 2, [2, ...utf8Bytes('bye\u001bsoon')]);
    expect(solo.sentOf(PPP_EAP, 2).map(({ identifier, data }) => [identifier, hex(data)])).toEqual([
      [1, `01${hex(utf8Bytes('alice'))}`],
      [1, `01${hex(utf8Bytes('alice'))}`],
      [2, '02'],
    ]);
    expect(solo.eventsOf('notice')).toEqual([{ kind: 'notice', protocol: 'EAP', text: 'bye\\x1bsoon' }]);
  });

  it('refuses unknown methods with the numbers of its own, and a vendor’s one the same way', () => {
    const solo = client().hear(PPP_EAP, 1, 2, [13, 0x20]).hear(PPP_EAP, 1, 3, [254, 0, 0, 9, 0, 0, 0, 1]);
    expect(
      solo
        .sentOf(PPP_EAP, 2)
        .map(({ data }) => hex(data))
        .slice(1),
    ).toEqual(['031a04', '031a04']);
    solo.hear(PPP_EAP, 4, 3).wait(3000);
    expect(solo.failure?.reason).toContain('wants a method of a vendor of user alice within EAP');
  });

  it('computes what RFC 1994 says, with the identifier of EAP', () => {
    const challenge = new Uint8Array(16).fill(3);
    const solo = client().hear(PPP_EAP, 1, 7, [4, 16, ...challenge]);
    expect(solo.last(PPP_EAP, 2).data).toEqual(
      Uint8Array.from([4, 16, ...chapMd5(7, SECRET, challenge), ...utf8Bytes('alice')]),
    );
    solo.hear(PPP_EAP, 3, 7);
    expect(solo.link.view.phase).toBe('network');
  });

  it('does not believe a Success that comes too early, from elsewhere, or before the server has proved itself', () => {
    const early = client().hear(PPP_EAP, 3, 1);
    expect(early.link.view.phase).toBe('authenticate');
    early.hear(PPP_EAP, 1, 2, mschapChallenge(2)).hear(PPP_EAP, 3, 2);
    expect(early.link.view.phase).toBe('authenticate');
    const success = [26, 3, 2, 0, 46, ...utf8Bytes(`S=${'0'.repeat(40)}`)];
    early.hear(PPP_EAP, 1, 3, success);
    expect(hex(early.last(PPP_EAP, 2).data)).toBe('1a04');
    early.hear(PPP_EAP, 3, 3).wait(3000);
    expect(early.failure?.remedy).toContain('something may be posing as it');
    const stray = client().hear(PPP_EAP, 1, 7, [4, 1, 5]).hear(PPP_EAP, 3, 40).hear(PPP_EAP, 4, 41);
    expect(stray.link.view.phase).toBe('authenticate');
  });

  it('takes network packets for the Success that was lost, once it is content', () => {
    const solo = client().hear(PPP_EAP, 1, 7, [4, 1, 5]);
    solo.hearOptions(PPP_IPCP, 1, 1, [option(3, 10, 0, 0, 1)]);
    expect(solo.link.view.phase).toBe('network');
    const doubtful = client().hear(PPP_EAP, 1, 7, mschapChallenge(7));
    doubtful.hearOptions(PPP_IPCP, 1, 1, [option(3, 10, 0, 0, 1)]);
    expect(doubtful.link.view.phase).toBe('authenticate');
  });

  it('tells what the server says with its refusal', () => {
    const solo = client().hear(PPP_EAP, 1, 2, mschapChallenge(2));
    solo.hear(PPP_EAP, 1, 3, [26, 4, 2, 0, 9, ...utf8Bytes('E=647 R=0 V=3 M=Closed')]);
    expect(hex(solo.last(PPP_EAP, 2).data)).toBe('1a04');
    solo.hear(PPP_EAP, 4, 3).wait(3000);
    expect(solo.failure?.reason).toBe(
      'the server refused user alice (EAP): error 647, the account is disabled: "Closed"',
    );
  });

  it('answers no challenge that this side sent itself', () => {
    const solo = new Solo({ ...serverOptions(['md5']), authenticatee: { user: 'lns', password: 'alice-pw' } }).begin();
    solo.hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 1, [EAP_OPTION]).hearOptions(PPP_LCP, 1, 2, [EAP_OPTION]);
    solo.hear(PPP_EAP, 2, solo.last(PPP_EAP, 1).identifier, [1, ...utf8Bytes('alice')]);
    const { data } = solo.last(PPP_EAP, 1);
    solo.hear(PPP_EAP, 1, 9, [1]);
    const before = solo.sentOf(PPP_EAP, 2).length;
    expect(before).toBe(1);
    solo.hear(PPP_EAP, 1, 10, data);
    expect(solo.sentOf(PPP_EAP, 2)).toHaveLength(before);
  });
});

describe('EAP as the one that asks', () => {
  it('repeats its Request until it is answered, and the Success for a Response that comes again', () => {
    const solo = server(serverOptions(['md5'])).wait(2500);
    const { identifier } = solo.last(PPP_EAP, 1);
    expect(solo.sentOf(PPP_EAP, 1)).toHaveLength(3);
    solo.hear(PPP_EAP, 2, identifier, [1, ...utf8Bytes('alice')]);
    const { identifier: next, data } = solo.last(PPP_EAP, 1);
    const answer = [4, 16, ...chapMd5(next, SECRET, data.subarray(2, 18))];
    solo.hear(PPP_EAP, 2, next, answer).hear(PPP_EAP, 2, next, [4, 16, ...new Uint8Array(16)]);
    expect(solo.sentOf(PPP_EAP, 3).map((packet) => packet.identifier)).toEqual([next, next]);
    expect(solo.eventsOf('authenticated')).toHaveLength(1);
  });

  it('takes no second guess, no answer to another Request, and no Nak once a method was taken up', () => {
    const solo = server(serverOptions(['md5', 'mschapv2']));
    const { identifier } = solo.last(PPP_EAP, 1);
    solo.hear(PPP_EAP, 2, (identifier + 5) & 0xff, [1, ...utf8Bytes('alice')]);
    expect(solo.sentOf(PPP_EAP, 1)).toHaveLength(1);
    solo.hear(PPP_EAP, 2, identifier, [1, ...utf8Bytes('alice')]).hear(PPP_EAP, 2, identifier + 1, [3, 26]);
    const { identifier: third, data } = solo.last(PPP_EAP, 1);
    expect(data[0]).toBe(26);
    const input = { identifier: third, challenge: data.slice(6, 22), name: utf8Bytes('alice'), password: 'wrong' };
    const { value } = MSCHAP_V2.respond(input, new TestRandom(4));
    solo.hear(PPP_EAP, 2, third, [26, 2, third, 0, 59, 49, ...value, ...utf8Bytes('alice')]);
    expect(solo.last(PPP_EAP, 1).data[1]).toBe(4);
    const again = MSCHAP_V2.respond({ ...input, password: 'alice-pw' }, new TestRandom(5));
    solo.hear(PPP_EAP, 2, third, [26, 2, third, 0, 59, 49, ...again.value, ...utf8Bytes('alice')]);
    solo.hear(PPP_EAP, 2, third + 1, [3, 4]);
    expect(solo.eventsOf('authenticated')).toHaveLength(0);
    solo.hear(PPP_EAP, 2, third + 1, [26, 4]).wait(3000);
    expect(solo.sentOf(PPP_EAP, 4)).toHaveLength(1);
    expect(solo.failure?.reason).toBe('the peer did not prove itself as user alice (EAP)');
  });

  it('survives any octets, and believes none of them', () => {
    const random = new TestRandom(20_261_126);
    for (let run = 0; run < 3000; run += 1) {
      const solo = server();
      for (let turn = 0; turn < 6; turn += 1) {
        const { identifier } = solo.last(PPP_EAP, 1);
        const type = [1, 1, 3, 4, 26, 26][Math.floor(random.next() * 6)] ?? 0;
        const data = [type, ...random.bytes(Math.floor(random.next() * 70))];
        const code = random.next() < 0.9 ? 2 : Math.floor(random.next() * 256);
        if (random.next() < 0.5 && data.length > 2) data[1] = Math.floor(random.next() * 5);
        solo.hear(PPP_EAP, code, identifier, data);
      }
      expect(solo.eventsOf('authenticated')).toHaveLength(0);
    }
  });
});

describe('EAP that is judged elsewhere', () => {
  const options: PppLinkOptions = {
    ...serverOptions(),
    authenticator: { name: 'lns', methods: ['eap'], judge: 'elsewhere' },
  };
  const judged = (solo: Solo, id: number, verdict: Verdict): Solo => {
    solo.link.verdict(solo.now, id, verdict);
    solo.drain();
    return solo;
  };
  const request = (identifier: number) => encodeEap({ code: 1, identifier, data: Uint8Array.of(4, 1, 5) });

  it('passes each Response on once, and each Request back', () => {
    const solo = server(options);
    const { identifier } = solo.last(PPP_EAP, 1);
    const identity = [1, ...utf8Bytes('alice')];
    solo.hear(PPP_EAP, 2, identifier, identity).hear(PPP_EAP, 2, identifier, identity).wait(4000);
    expect(solo.sentOf(PPP_EAP, 1)).toHaveLength(1);
    judged(solo, 1, { kind: 'continue', packet: request(77) })
      .hear(PPP_EAP, 2, identifier, identity)
      .wait(1500);
    expect(solo.sentOf(PPP_EAP, 1).map((packet) => packet.identifier)).toEqual([identifier, 77, 77, 77]);
    solo.hear(PPP_EAP, 2, 77, [4, 1, 9]);
    expect(solo.eventsOf('verify').map(({ proof }) => proof)).toEqual([
      {
        method: 'eap',
        name: utf8Bytes('alice'),
        packet: encodeEap({ code: 2, identifier, data: Uint8Array.from(identity) }),
      },
      {
        method: 'eap',
        name: utf8Bytes('alice'),
        packet: encodeEap({ code: 2, identifier: 77, data: Uint8Array.of(4, 1, 9) }),
      },
    ]);
    judged(solo, 2, {
      kind: 'accept',
      user: 'Alice',
      packet: encodeEap({ code: 3, identifier: 77, data: new Uint8Array(0) }),
    });
    solo.hear(PPP_EAP, 2, 77, [4, 1, 9]);
    expect(solo.sentOf(PPP_EAP, 3)).toHaveLength(2);
    expect(solo.eventsOf('authenticated')).toMatchObject([{ user: 'Alice', method: 'eap' }]);
  });

  it('says Failure where the judge refuses, cannot be asked, or answers with nonsense', () => {
    const failure = { step: 'RADIUS', reason: 'no answer', remedy: 'start it' };
    const verdicts: [Verdict, RegExp][] = [
      [{ kind: 'reject', packet: Uint8Array.of(3, 1, 0, 4) }, /did not prove itself as user alice/],
      [{ kind: 'unavailable', failure }, /no answer/],
      [{ kind: 'continue', packet: Uint8Array.of(1, 2) }, /no EAP Request/],
    ];
    for (const [verdict, words] of verdicts) {
      const solo = server(options);
      solo.hear(PPP_EAP, 2, solo.last(PPP_EAP, 1).identifier, [1, ...utf8Bytes('alice')]);
      judged(solo, 1, verdict).wait(3000);
      expect(solo.sentOf(PPP_EAP, 4)).toHaveLength(1);
      expect(solo.sentOf(PPP_EAP, 3)).toHaveLength(0);
      expect(solo.failure?.reason).toMatch(words);
    }
  });
});
