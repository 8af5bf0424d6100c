import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { chapAlgorithm } from '../../../../firmware/protocol/ppp/chap-algorithms.ts';
import { chapMd5 } from '../../../../firmware/protocol/ppp/chap-md5.ts';
import type { PeerProof, PppAuthentication, PppLinkOptions } from '../../../../firmware/protocol/ppp/link-types.ts';
import { type ConfigurationOption, encodeOptions } from '../../../../firmware/protocol/ppp/options.ts';
import { encodePapRequest } from '../../../../firmware/protocol/ppp/pap.ts';
import { PPP_CHAP, PPP_LCP, PPP_PAP } from '../../../../firmware/protocol/ppp/protocol-numbers.ts';
import type { ProxiedStart } from '../../../../firmware/protocol/ppp/proxied-start.ts';
import { option, Solo, TestRandom } from './simulation.ts';

const CHAP = option(3, 0xc2, 0x23, 5);
const PAP = option(3, 0xc0, 0x23);
const MSCHAP = option(3, 0xc2, 0x23, 0x80);
const MAGIC = option(5, 1, 2, 3, 4);
const SENT = [option(1, 5, 0x78), option(2, 0, 0, 0, 0), CHAP, MAGIC, option(7), option(8)];
const RECEIVED = [option(1, 5, 0), option(2, 0, 0, 0, 0), option(5, 9, 9, 9, 9), option(7)];
const CHALLENGE = new Uint8Array(16).fill(6);
const ID = 77;

function chapProof(password: string, challenge = CHALLENGE): PeerProof {
  const response = chapMd5(ID, utf8Bytes(password), challenge);
  return { method: 'chap', name: utf8Bytes('bob'), identifier: ID, challenge, response };
}

function proxied(
  sent: readonly ConfigurationOption[],
  received: readonly ConfigurationOption[],
  proof?: PeerProof,
): ProxiedStart {
  return {
    lastSentConfreq: encodeOptions(sent),
    lastReceivedConfreq: encodeOptions(received),
    challengeIdentifier: ID,
    ...(proof ? { proof } : {}),
  };
}

function options(...methods: PppAuthentication[]): PppLinkOptions {
  return {
    mru: 1400,
    authenticator: { name: 'lns', methods, password: (user) => (user === 'bob' ? 'bob-pw' : undefined) },
    ipcp: { role: 'server', assign: () => ({ localAddress: '10.0.0.1', peerAddress: '10.0.0.7', dns: [] }) },
  };
}

describe('LCP that a LAC negotiated', () => {
  it('is taken over without a packet, and the caller challenged anew by another identifier', () => {
    const solo = new Solo(options('mschapv2', 'chap')).begin(proxied(SENT, RECEIVED));
    expect(solo.newsInShort()).toEqual(['CHAP 1']);
    expect(solo.last(PPP_CHAP, 1).identifier).toBe(ID + 1);
    expect(solo.eventsOf('link-up')).toMatchObject([{ protocolCompression: true, addressControlCompression: false }]);
    expect(solo.link.view).toMatchObject({ phase: 'authenticate', peerMru: 1280 });
    solo.hear(PPP_LCP, 9, 5, [9, 9, 9, 9]);
    expect([...solo.last(PPP_LCP, 10).data]).toEqual([...MAGIC.data]);
  });

  it('is heard of by the next server when the caller is handed on', () => {
    const solo = new Solo({ ...options('chap'), handOver: () => true });
    solo.begin(proxied(SENT, RECEIVED, chapProof('bob-pw')));
    expect(solo.eventsOf('handed-over')).toMatchObject([
      {
        proof: { identifier: ID },
        lcp: { lastSentConfreq: encodeOptions(SENT), lastReceivedConfreq: encodeOptions(RECEIVED) },
      },
    ]);
  });

  it.each<[string, readonly ConfigurationOption[], readonly ConfigurationOption[]]>([
    ['a method that is not ours', [PAP, MAGIC], RECEIVED],
    ['no authentication where we demand one', [MAGIC], RECEIVED],
    ['an authentication that cannot be read', [option(3, 0xc2), MAGIC], RECEIVED],
    ['an authentication that nobody speaks', [option(3, 0xc0, 0x27), MAGIC], RECEIVED],
    ['an MRU that we do not receive', [CHAP, option(1, 0x23, 0x28)], RECEIVED],
    ['an MRU that cannot be read', [CHAP, option(1, 5)], RECEIVED],
    ['a flag with a value', [CHAP, option(7, 1)], RECEIVED],
    ['a Magic-Number of zero', [CHAP, option(5, 0, 0, 0, 0)], RECEIVED],
    ['an option twice', [CHAP, MAGIC, MAGIC], RECEIVED],
    ['multilink', [CHAP, option(17, 5, 0)], RECEIVED],
    ['a caller that wants us to prove ourselves', SENT, [CHAP]],
    ['a caller that wants multilink', SENT, [option(17, 5, 0)]],
    ['a caller with the Magic-Number that was sent to it', SENT, [MAGIC]],
    ['a caller that receives next to nothing', SENT, [option(1, 0, 64)]],
  ])('is negotiated from the beginning with %s', (_what, sent, received) => {
    const solo = new Solo(options('chap')).begin(proxied(sent, received, chapProof('bob-pw')));
    expect(solo.newsInShort()).toEqual(['LCP 1']);
    expect(solo.link.view.phase).toBe('establish');
    expect(solo.isDone).toBe(false);
    solo.hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 1, []);
    expect(solo.last(PPP_CHAP, 1).identifier).toBe(ID + 1);
    expect(solo.eventsOf('authenticated')).toEqual([]);
  });

  it('is negotiated anew when the caller asks to, with a Challenge of ours, whatever was proved before', () => {
    const solo = new Solo(options('chap')).begin(proxied(SENT, RECEIVED, chapProof('bob-pw')));
    expect(solo.link.view.phase).toBe('network');
    solo.news();
    solo.hearOptions(PPP_LCP, 1, 9, []);
    expect(solo.newsInShort()).toEqual(['LCP 1', 'LCP 2']);
    expect(solo.link.view).toMatchObject({ phase: 'establish' });
    solo.hearAck(PPP_LCP);
    expect(solo.newsInShort()).toEqual(['CHAP 1']);
    expect(solo.last(PPP_CHAP, 1).identifier).not.toBe(ID);
    expect(solo.link.view.phase).toBe('authenticate');
  });

  it('leaves a caller without authentication in the Network phase where none is demanded', () => {
    const { ipcp } = options('chap');
    const solo = new Solo({ mru: 1400, ...(ipcp ? { ipcp } : {}) }).begin(proxied([MAGIC], []));
    expect(solo.link.view.phase).toBe('network');
  });
});

describe('a proof that a LAC relays', () => {
  it('is accepted: Success with the identifier of the LAC’s Challenge, and again for a repeated Response', () => {
    const proof = chapProof('bob-pw');
    const solo = new Solo(options('chap')).begin(proxied(SENT, RECEIVED, proof));
    expect(solo.sentOf(PPP_CHAP, 1)).toEqual([]);
    expect(solo.sentOf(PPP_CHAP, 3).map(({ identifier }) => identifier)).toEqual([ID]);
    expect(solo.eventsOf('authenticated')).toMatchObject([{ who: 'peer', user: 'bob', method: 'chap' }]);
    expect(solo.link.view.phase).toBe('network');
    solo.hear(PPP_CHAP, 2, ID, [1, 0, ...utf8Bytes('bob')]).wait(5000);
    expect(solo.sentOf(PPP_CHAP, 3)).toHaveLength(2);
    expect(solo.sentOf(PPP_CHAP, 1)).toEqual([]);
  });

  it('is refused in words when it is wrong', () => {
    const solo = new Solo(options('chap')).begin(proxied(SENT, RECEIVED, chapProof('guessed')));
    expect(solo.newsInShort()).toEqual(['CHAP 4', 'LCP 5']);
    expect(solo.last(PPP_CHAP, 4).identifier).toBe(ID);
    solo.wait(5000);
    expect(solo.failure).toMatchObject({
      step: 'authentication',
      reason: expect.stringContaining('user bob (CHAP-MD5)'),
    });
    expect(solo.eventsOf('authenticated')).toEqual([]);
  });

  it('by PAP is answered with the identifier of the request', () => {
    const sent = [PAP, MAGIC];
    const proof = { method: 'pap', name: utf8Bytes('bob'), password: utf8Bytes('bob-pw'), identifier: 5 } as const;
    const right = new Solo(options('pap')).begin(proxied(sent, RECEIVED, proof));
    expect(right.sentOf(PPP_PAP, 2).map(({ identifier }) => identifier)).toEqual([5]);
    right.hear(PPP_PAP, 1, 6, encodePapRequest({ peerId: utf8Bytes('eve'), password: utf8Bytes('') }));
    expect(right.sentOf(PPP_PAP, 2).map(({ identifier }) => identifier)).toEqual([5, 6]);
    expect(right.link.view.user).toBe('bob');
    const wrong = new Solo(options('pap')).begin(proxied(sent, RECEIVED, { ...proof, password: utf8Bytes('no') }));
    expect(wrong.sentOf(PPP_PAP, 3).map(({ identifier }) => identifier)).toEqual([5]);
  });

  it('by MS-CHAPv1 is judged, too', () => {
    const challenge = new Uint8Array(8).fill(3);
    const input = { identifier: ID, challenge, name: utf8Bytes('bob'), password: 'bob-pw' };
    const response = chapAlgorithm('mschapv1').respond(input, new TestRandom(4)).value;
    const proof: PeerProof = { method: 'mschapv1', name: input.name, identifier: ID, challenge, response };
    const solo = new Solo(options('mschapv1')).begin(proxied([MSCHAP], RECEIVED, proof));
    expect(solo.link.view).toMatchObject({ phase: 'network', user: 'bob' });
  });

  it('goes out to whoever judges elsewhere', () => {
    const proof = chapProof('whatever');
    const { authenticator: _, ...rest } = options('chap');
    const judge = 'elsewhere' as const;
    const solo = new Solo({ ...rest, authenticator: { name: 'lns', methods: ['chap'], judge } });
    solo.begin(proxied(SENT, RECEIVED, proof)).wait(3000);
    expect(solo.eventsOf('verify')).toEqual([{ kind: 'verify', id: 1, proof }]);
    expect(solo.newsInShort()).toEqual([]);
    solo.link.verdict(solo.now, 1, { kind: 'accept', user: 'Bob' });
    solo.drain();
    expect(solo.sentOf(PPP_CHAP, 3).map(({ identifier }) => identifier)).toEqual([ID]);
    expect(solo.link.view.user).toBe('Bob');
  });

  it.each<[string, PeerProof]>([
    ['to a short challenge', chapProof('bob-pw', new Uint8Array(15).fill(1))],
    ['by another method than was agreed on', { method: 'pap', name: utf8Bytes('bob'), password: utf8Bytes('bob-pw') }],
    ['by EAP', { method: 'eap', name: utf8Bytes('bob'), packet: Uint8Array.of(2, 1, 0, 4) }],
  ])('is not believed %s: the caller is challenged', (_what, proof) => {
    const solo = new Solo(options('chap')).begin(proxied(SENT, RECEIVED, proof));
    expect(solo.newsInShort()).toEqual(['CHAP 1']);
    expect(solo.eventsOf('authenticated')).toEqual([]);
  });

  it('made of random octets never throws and never authenticates', () => {
    for (let seed = 1; seed <= 400; seed += 1) {
      const random = new TestRandom(seed);
      const octets = (most: number) => random.bytes(Math.floor(random.next() * most));
      const good = random.next() < 0.5;
      const start: ProxiedStart = {
        lastSentConfreq: good ? encodeOptions(SENT) : octets(40),
        lastReceivedConfreq: random.next() < 0.5 ? encodeOptions(RECEIVED) : octets(40),
        challengeIdentifier: ID,
        proof: { method: 'chap', name: utf8Bytes('bob'), identifier: ID, challenge: octets(40), response: octets(20) },
      };
      const solo = new Solo(options('chap'), seed).begin(start).wait(100);
      expect(solo.eventsOf('authenticated'), `seed ${seed}`).toEqual([]);
      expect(solo.link.view.phase, `seed ${seed}`).toMatch(/^(establish|authenticate|terminate)$/);
    }
  });
});

describe('what the peer tells people by LCP', () => {
  const open = () => new Solo(options('chap')).begin(proxied(SENT, RECEIVED, chapProof('bob-pw')));
  const texts = (solo: Solo) => solo.eventsOf('notice').map(({ protocol, text }) => `${protocol}: ${text}`);

  it('is passed on once per change, printable', () => {
    const solo = open();
    for (let id = 1; id <= 3; id += 1) solo.hear(PPP_LCP, 12, id, [0, 0, 0, 0, ...utf8Bytes('MSRASV5.20\u001b\0')]);
    solo.hear(PPP_LCP, 13, 4, [0, 0, 0, 0, 0, 0, 0x0e, 0x10, ...utf8Bytes('lunch')]);
    solo.hear(PPP_LCP, 13, 5, [0, 0, 0, 0, 0, 0, 0, 60]);
    solo.hear(PPP_LCP, 13, 6, [0, 0, 0, 0, 255, 255, 255, 255]);
    expect(texts(solo)).toEqual([
      'LCP: MSRASV5.20\\x1b',
      'LCP: 3600 s remaining: lunch',
      'LCP: 60 s remaining',
      'LCP: no end',
    ]);
    expect(solo.sentOf(PPP_LCP, 7)).toEqual([]);
  });

  it('is bounded, and silently dropped when it is too short', () => {
    const solo = open();
    solo.hear(PPP_LCP, 12, 1, [0, 0, 0]).hear(PPP_LCP, 13, 2, [0, 0, 0, 0, 1]).hear(PPP_LCP, 12, 3, [0, 0, 0, 0]);
    expect(texts(solo)).toEqual([]);
    for (let id = 0; id < 200; id += 1)
      solo.hear(PPP_LCP, 12, id, [0, 0, 0, 0, ...utf8Bytes(`${id}${'x'.repeat(900)}`)]);
    expect(texts(solo)).toHaveLength(32);
    expect(Math.max(...texts(solo).map(({ length }) => length))).toBeLessThan(300);
  });

  it('can be told by us, once LCP is opened: how much time is left', () => {
    const solo = open();
    solo.link.tellTimeRemaining(3600, 'then it ends');
    solo.drain();
    const expected = Uint8Array.of(...MAGIC.data, 0, 0, 0x0e, 0x10, ...utf8Bytes('then it ends'));
    expect(solo.last(PPP_LCP, 13).data).toEqual(expected);
    const early = new Solo(options('chap')).begin();
    early.link.tellTimeRemaining(3600, 'x');
    early.drain();
    expect(early.newsInShort()).toEqual(['LCP 1']);
  });
});
