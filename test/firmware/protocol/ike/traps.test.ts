/** What has brought other implementations down, or kept them from working with one another. */
import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../../firmware/protocol/bytes.ts';
import { hash1, phase2Iv } from '../../../../firmware/protocol/ike/crypto/keys-v1.ts';
import { HEADER_OCTETS } from '../../../../firmware/protocol/ike/message-header.ts';
import { decodeMessage, encodeMessage } from '../../../../firmware/protocol/ike/v1/header.ts';
import { sealInformational } from '../../../../firmware/protocol/ike/v1/informational.ts';
import { encodeDelete } from '../../../../firmware/protocol/ike/v1/notification.ts';
import { ExchangeType, PayloadType } from '../../../../firmware/protocol/ike/v1/numbers.ts';
import { decodePayloads, encodePayloads, firstType } from '../../../../firmware/protocol/ike/v1/payload.ts';
import type { Phase1Outcome } from '../../../../firmware/protocol/ike/v1/phase1.ts';
import { Phase2Messages } from '../../../../firmware/protocol/ike/v1/phase2-message.ts';
import { CbcChain } from '../../../../firmware/protocol/ike/v1/protected-message.ts';
import { spiOctets } from '../../../../firmware/protocol/ike/v2/child.ts';
import { decodeHeader } from '../../../../firmware/protocol/ike/v2/header.ts';
import { findNotify, notify } from '../../../../firmware/protocol/ike/v2/notify.ts';
import { EXCHANGES } from '../../../../firmware/protocol/ike/v2/numbers.ts';
import { decodeChain, type Payload } from '../../../../firmware/protocol/ike/v2/payload.ts';
import { encodeUnprotected } from '../../../../firmware/protocol/ike/v2/unprotected.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { type Outside, PRIVATE, World } from './identical-sites.ts';
import { CLIENT, connect, initiate, l2tpClient, l2tpServer, makePair, SERVER } from './v1/setup.ts';
import { Harness, PATH, problems, RIGHT_ADDRESS } from './v2/harness.ts';
import { ScriptedPeer } from './v2/scripted-peer.ts';

const NOTHING = new Uint8Array(0);
describe('Quick Mode repeated after phase 1 was deleted, as Apple does', () => {
  it('is answered byte for byte as before, and makes nothing new', () => {
    const pair = makePair();
    const { network, client, server } = pair;
    const isQuickMode = (datagram: Uint8Array) => datagram[18] === ExchangeType.quickMode;
    network.filter = ({ from, datagram }) => from === client || !isQuickMode(datagram);
    const ikeId = initiate(pair);
    network.run(500);
    const [request, answer] = network.sent.map(({ datagram }) => datagram).filter(isQuickMode);
    client.endpoint.close(network.now, ikeId);
    network.run(500);
    expect(server.endpoint.idle).toBe(true);
    const before = network.sent.length;
    for (let count = 0; count < 2; count += 1) network.inject(server, request ?? NOTHING, server.to(CLIENT));
    expect(network.sent.slice(before).map(({ datagram }) => datagram)).toEqual([answer, answer]);
    expect(server.endpoint.idle).toBe(true);
    expect(server.all('child-up').length).toBe(server.all('child-down').length);
  });

  it('is answered while phase 1 stands, and makes one child SA however often it comes', () => {
    const pair = makePair();
    const { network, client, server } = pair;
    network.filter = ({ datagram }) => {
      if (datagram[18] !== ExchangeType.quickMode) return true;
      for (let count = 0; count < 3; count += 1) {
        const to = network.sent.at(-1)?.from === client ? server : client;
        to.endpoint.receive(network.now, datagram, to.to(to === server ? CLIENT : SERVER));
      }
      return true;
    };
    initiate(pair);
    network.run(30_000);
    expect([client.all('child-up').length, server.all('child-up').length]).toEqual([1, 1]);
    expect(server.outbound.at(-1)?.outboundSpi).toBe(client.outbound.at(-1)?.inboundSpi);
  });
});

describe('a fourth message of Quick Mode', () => {
  it('that overtakes the third does no harm', () => {
    const pair = makePair();
    const held: Uint8Array[] = [];
    pair.network.filter = ({ from, datagram }) => {
      if (datagram[18] !== ExchangeType.quickMode || from !== pair.client) return true;
      held.push(datagram);
      return held.length !== 2;
    };
    initiate(pair);
    pair.network.run(500);
    const third = held[1] ?? NOTHING;
    const fourth = third.slice();
    fourth[40] = (fourth[40] ?? 0) ^ 1;
    for (const message of [fourth, third, fourth]) pair.network.inject(pair.server, message, pair.server.to(CLIENT));
    expect(pair.server.all('child-up')).toHaveLength(1);
    expect(pair.server.outbound.at(-1)?.outboundSpi).toBe(pair.client.outbound.at(-1)?.inboundSpi);
    pair.network.run(30_000);
    expect([pair.client.all('child-down'), pair.server.all('child-down')]).toEqual([[], []]);
  });
});

const TWO_NATS: readonly Outside[] = [
  { address: '198.51.100.1', offset: 0 },
  { address: '198.51.100.2', offset: 0 },
];
const ONE_NAT: readonly Outside[] = [
  { address: '198.51.100.1', offset: 10_000 },
  { address: '198.51.100.1', offset: 20_000 },
];

describe.each([
  [1, 'behind two NATs', TWO_NATS],
  [1, 'behind one NAT', ONE_NAT],
  [2, 'behind two NATs', TWO_NATS],
  [2, 'behind one NAT', ONE_NAT],
] as const)('two sites that are both 192.168.1.10 and have one key, with IKEv%i, %s', (version, _, outsides) => {
  function bothUp(): World {
    const world = new World(version, outsides);
    for (const caller of world.callers) world.call(caller);
    return world;
  }

  function expectApart(world: World): void {
    for (const caller of world.callers) {
      const child = world.arrivesIn(caller);
      expect(child?.path.remote).toEqual(caller.seen(4500));
      expect(child?.remoteSelectors[0]?.firstAddress).toBe(caller.outside.address);
      expect(child?.natOriginal?.remote).toBe(PRIVATE);
      // One that was rekeyed ends as well.
      expect(caller.all('ike-down').filter(({ failure }) => failure.step !== 'rekey')).toEqual([]);
    }
    const [first, second] = world.callers.map((caller) => world.arrivesIn(caller)?.id);
    expect(first).not.toBe(second);
  }

  it('live beside each other through rekeys', () => {
    const world = bothUp();
    expectApart(world);
    for (const { endpoint, table } of world.callers) {
      endpoint.rekeyChild(world.now, table.sending ?? 0);
      endpoint.rekeyIke(world.now, endpoint.views(world.now)[0]?.ikeId ?? 0);
    }
    world.run(60_000);
    expectApart(world);
    expect(world.server.views(world.now).filter(({ state }) => state === 'established')).toHaveLength(2);
  });

  it('do not evict each other with INITIAL_CONTACT when one of them was restarted', () => {
    const world = bothUp();
    const [first, second] = world.callers;
    if (first === undefined || second === undefined) throw new Error('two callers');
    const before = world.arrivesIn(first);
    world.reboot(second);
    world.call(second);
    expect(world.serverEnd.all('ike-down')).toHaveLength(1);
    expect(world.arrivesIn(first)).toEqual(before);
    world.run(60_000);
    expectApart(world);
    expect(world.serverEnd.table.children.size).toBe(2);
  });
});

describe.each([1, 2] as const)('private addresses as identities, with IKEv%i', (version) => {
  it('are taken from a caller and from a server, each behind a NAT', () => {
    const inside = '10.20.30.40';
    const world = new World(version, TWO_NATS.slice(0, 1), inside);
    const [caller] = world.callers;
    if (caller === undefined) throw new Error('one caller');
    world.call(caller);
    expect(world.arrivesIn(caller)?.path.remote).toEqual(caller.seen(4500));
    const identity = (value: string) => ({
      peer: { identity: { kind: 'ipv4', value }, natLocal: true, natRemote: true },
    });
    expect(world.serverEnd.all('ike-up')).toMatchObject([identity(PRIVATE)]);
    expect(caller.all('ike-up')).toMatchObject([identity(inside)]);
  });
});

describe('a caller that falls silent after its first message (CVE-2016-5361)', () => {
  it('gets one answer from IKEv1 and no repetition', () => {
    for (const messages of [1, 2]) {
      const pair = makePair();
      let passed = 0;
      pair.network.filter = ({ from }) => {
        if (from === pair.client) passed += 1;
        return passed <= messages;
      };
      initiate(pair);
      pair.network.run(60_000);
      expect(pair.network.sent.filter(({ from }) => from === pair.server)).toHaveLength(messages);
    }
  });

  it('gets one answer from IKEv2 and no repetition', () => {
    const harness = new Harness();
    harness.initiate();
    harness.pass('left');
    for (let seconds = 0; seconds < 60; seconds += 1) {
      harness.now += 1000;
      harness.right.tick(harness.now);
      harness.drain();
    }
    expect(harness.log.filter((line) => line.startsWith('right'))).toHaveLength(1);
  });
});

describe('before authentication', () => {
  it('no Quick Mode and no Informational is taken, and nothing is rekeyed (CVE-2014-2338)', () => {
    const pair = makePair();
    const forge = (exchangeType: number, datagram: Uint8Array): Uint8Array => {
      const { header } = decodeMessage(datagram);
      const fields = { ...header, nextPayload: PayloadType.hash, exchangeType, flags: 1, messageId: 9 };
      return encodeMessage(fields, new Uint8Array(64).fill(exchangeType));
    };
    let forged = 0;
    pair.network.filter = ({ from, datagram, path }) => {
      const { header } = decodeMessage(datagram);
      if (header.exchangeType !== ExchangeType.mainMode) return true;
      const to = from === pair.client ? pair.server : pair.client;
      for (const exchangeType of [ExchangeType.quickMode, ExchangeType.informational]) {
        forged += 1;
        const seen = { local: path.remote, remote: path.local };
        to.endpoint.receive(pair.network.now, forge(exchangeType, datagram), seen);
      }
      for (const { endpoint } of [pair.client, pair.server]) {
        for (const { ikeId, state } of endpoint.views()) {
          if (state === 'phase-1') endpoint.rekeyIke(pair.network.now, ikeId);
        }
      }
      return true;
    };
    initiate(pair);
    pair.network.run(2000);
    expect(forged).toBe(12);
    expect([pair.client.all('child-up').length, pair.server.all('child-up').length]).toEqual([1, 1]);
    // Six of Main Mode and three of Quick Mode.
    expect(pair.network.sent).toHaveLength(9);
  });

  it.each([
    ['zero', 0],
    ['all ones', 0xff],
  ])('a public value in Main Mode that is %s is refused (CVE-2015-3240)', (_, octet) => {
    const modp = { ikeProposals: [{ encryption: 'aes128', integrity: 'sha1', prf: 'sha1', group: 'modp1024' }] };
    for (const from of ['client', 'server'] as const) {
      const pair = makePair({ client: l2tpClient(modp), server: l2tpServer(modp) });
      pair.network.mangle = (sent) => {
        const { header, body } = decodeMessage(sent.datagram);
        if (sent.from !== pair[from] || header.flags !== 0 || header.exchangeType !== ExchangeType.mainMode) {
          return sent.datagram;
        }
        const payloads = decodePayloads(header.nextPayload, body).map((payload) =>
          payload.type === PayloadType.keyExchange ? { ...payload, body: payload.body.slice().fill(octet) } : payload,
        );
        return encodeMessage(header, encodePayloads(payloads));
      };
      initiate(pair);
      pair.network.run(60_000);
      expect([pair.client.all('ike-up'), pair.server.all('ike-up')]).toEqual([[], []]);
      const receiver = from === 'client' ? pair.server : pair.client;
      expect(receiver.endpoint.counters.malformed).toBeGreaterThan(0);
      expect([pair.client.endpoint.idle, pair.server.endpoint.idle]).toEqual([true, true]);
    }
  });

  it.each([0, 15, 31_000])(
    'a KE payload of the group %i, which nobody knows, is answered with the right one',
    (group) => {
      const harness = new Harness();
      harness.initiate();
      const { datagram } = harness.take('left');
      const { payloads } = decodeChain(decodeHeader(datagram).nextPayload, datagram.subarray(HEADER_OCTETS));
      const changed = payloads.map((payload) => (payload.kind === 'KE' ? { ...payload, group } : payload));
      const request = encodeUnprotected(decodeHeader(datagram), changed);
      harness.right.receive(harness.now, request, { local: PATH.remote, remote: PATH.local });
      harness.drain();
      const answer = harness.take('right').datagram;
      const said = decodeChain(decodeHeader(answer).nextPayload, answer.subarray(HEADER_OCTETS)).payloads;
      expect(findNotify(said, 'INVALID_KE_PAYLOAD')?.data).toEqual(Uint8Array.of(0, 31));
      expect(harness.right.views()).toEqual([]);
    },
  );
});

describe('payloads of the other version of IKE (CVE-2015-3991)', () => {
  it('mean nothing in Main Mode', () => {
    const pair = makePair();
    const foreign = Array.from({ length: 16 }, (_, index) => ({ type: 33 + index, body: new Uint8Array(24).fill(1) }));
    pair.network.mangle = ({ datagram }) => {
      const { header, body } = decodeMessage(datagram);
      if (header.exchangeType !== ExchangeType.mainMode || header.flags !== 0) return datagram;
      const payloads = [...foreign, ...decodePayloads(header.nextPayload, body)];
      return encodeMessage({ ...header, nextPayload: firstType(payloads) }, encodePayloads(payloads));
    };
    initiate(pair);
    pair.network.run(2000);
    expect(pair.server.all('child-up')).toHaveLength(1);
  });
});

describe('an Informational of IKEv1 (CVE-2019-10155)', () => {
  const sa = {
    cookieI: new Uint8Array(8).fill(1),
    cookieR: new Uint8Array(8).fill(2),
    proposal: { encryption: 'aes128', integrity: 'sha256', prf: 'sha256', group: 'ecp256' },
    encryptionKey: new Uint8Array(16).fill(3),
    lastBlock: new Uint8Array(16).fill(4),
    keys: { skeyidA: new Uint8Array(32).fill(5) },
  } as unknown as Phase1Outcome;
  const goodbye = { type: PayloadType.delete, body: encodeDelete({ protocol: 1, spis: [new Uint8Array(16)] }) };

  function opened(message: Uint8Array): string {
    const covered = (octets: Uint8Array) => hash1('sha256', sa.keys.skeyidA, 7, octets);
    try {
      const messages = new Phase2Messages(sa, ExchangeType.informational, 7);
      return messages.open(decodeMessage(message), covered) === undefined ? 'refused' : 'taken';
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return 'refused';
    }
  }

  function withoutHash(first: readonly { readonly type: number; readonly body: Uint8Array }[]): Uint8Array {
    const chain = new CbcChain('aes128', sa.encryptionKey, phase2Iv('aes128', 'sha256', sa.lastBlock, 7));
    const header = { cookieI: sa.cookieI, cookieR: sa.cookieR, exchangeType: 5, flags: 1, messageId: 7 };
    return encodeMessage({ ...header, nextPayload: firstType(first) }, chain.seal(encodePayloads(first)));
  }

  it('counts with the right HASH alone, however well it is encrypted', () => {
    const hash = { type: PayloadType.hash, body: new Uint8Array(32) };
    const other = { ...sa, keys: { ...sa.keys, skeyidA: new Uint8Array(32).fill(6) } };
    expect(opened(sealInformational(sa, 7, [goodbye]))).toBe('taken');
    expect(opened(sealInformational(other, 7, [goodbye]))).toBe('refused');
    expect(opened(withoutHash([goodbye]))).toBe('refused');
    expect(opened(withoutHash([hash, goodbye]))).toBe('refused');
    expect(opened(withoutHash([{ ...hash, body: NOTHING }, goodbye]))).toBe('refused');
    expect(opened(withoutHash([goodbye, hash]))).toBe('refused');
  });
});

describe('messages of IKEv2 in clear', () => {
  const contents: readonly Payload[] = [
    { kind: 'D', protocol: 1, spis: [] },
    notify('AUTHENTICATION_FAILED'),
    notify('INVALID_IKE_SPI'),
    notify('INVALID_SYNTAX'),
    notify('NO_PROPOSAL_CHOSEN'),
    notify('INITIAL_CONTACT'),
  ];

  it('end nothing that stands, whatever they say', () => {
    const harness = new Harness().connect();
    const [view] = harness.live('right');
    const before = harness.log.length;
    for (const content of contents) {
      for (const exchange of [EXCHANGES.IKE_AUTH, EXCHANGES.CREATE_CHILD_SA, EXCHANGES.INFORMATIONAL]) {
        for (const [messageId, response] of [0, 1, 2, 3].flatMap((id) => [[id, true] as const, [id, false] as const])) {
          const spis = { spiI: view?.spiI ?? NOTHING, spiR: view?.spiR ?? NOTHING };
          const forged = (fromInitiator: boolean) =>
            encodeUnprotected({ ...spis, exchange, messageId, fromInitiator, response }, [content]);
          harness.right.receive(harness.now, forged(true), { local: PATH.remote, remote: PATH.local });
          harness.left.receive(harness.now, forged(false), PATH);
        }
      }
    }
    harness.run(5000);
    expect(problems(harness)).toEqual([]);
    expect([harness.all('left', 'ike-down'), harness.all('right', 'ike-down')]).toEqual([[], []]);
    // A hint may make each side ask once whether the other one is there.
    expect(harness.log.length - before).toBeLessThanOrEqual(4);
  });

  it('do not keep the true answer to IKE_AUTH from being taken', () => {
    const harness = new Harness();
    harness.initiate();
    harness.pass('left');
    harness.pass('right');
    const request = harness.take('left', 'IKE_AUTH');
    const header = { ...decodeHeader(request.datagram), response: true, fromInitiator: false };
    for (const content of contents) harness.left.receive(harness.now, encodeUnprotected(header, [content]), PATH);
    harness.deliver(request);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
  });
});

describe('TEMPORARY_FAILURE as the answer to a rekey', () => {
  it('leaves the old child in use and is tried again, though not for ever', () => {
    const peer = new ScriptedPeer().connect();
    const [before] = peer.table.children.values();
    const asks = (): boolean => {
      let asked = false;
      for (let output = peer.right.poll(); output !== undefined; output = peer.right.poll()) {
        peer.table.apply(output);
        asked ||= output.kind === 'send';
      }
      return asked;
    };
    peer.right.rekeyChild(0, before?.id ?? 0);
    let asked = 0;
    for (; asked < 100 && asks(); asked += 1) {
      expect([...peer.table.children.values()]).toEqual([before]);
      peer.reply('CREATE_CHILD_SA', asked, [notify('TEMPORARY_FAILURE')]);
      peer.right.tick(20_000);
    }
    expect(asked).toBeGreaterThan(3);
    expect(asked).toBeLessThan(100);
  });
});

describe('a DELETE of the IKE SA and of its child in one message', () => {
  const D_IKE = { kind: 'D', protocol: 1, spis: [] } as const;
  const D_ESP = { kind: 'D', protocol: 3, spis: [spiOctets(0x1000)] } as const;

  it.each([
    ['the IKE SA first', [D_IKE, D_ESP]],
    ['the child first', [D_ESP, D_IKE]],
    ['both twice', [D_IKE, D_ESP, D_ESP, D_IKE]],
  ])('ends each once: %s (CVE-2023-38712)', (_, payloads) => {
    const peer = new ScriptedPeer().connect();
    expect(peer.ask('INFORMATIONAL', payloads)).toEqual([]);
    expect(peer.failures).toEqual(['the peer closed the IKE SA']);
    expect(peer.table.children.size).toBe(0);
    peer.right.tick(600_000);
    while (peer.right.poll() !== undefined);
    expect(peer.right.idle).toBe(true);
  });
});

describe('bytes behind a message', () => {
  const trailing = (datagram: Uint8Array, random: SeededRandom): Uint8Array =>
    Uint8Array.from([...datagram, ...random.bytes(1 + random.int(20))]);

  it('are ignored by IKEv1, in a repeated message as well', () => {
    const random = new SeededRandom(1);
    const pair = makePair({ clientBehindNat: true });
    pair.network.mangle = ({ datagram }) => trailing(datagram, random);
    initiate(pair);
    pair.network.run(15_000);
    expect([pair.client.all('child-up').length, pair.server.all('child-up').length]).toEqual([1, 1]);
    expect([pair.client.all('ike-down'), pair.server.all('ike-down')]).toEqual([[], []]);
    const pairs = connect();
    const [message5, message6] = [4, 5].map((index) => pairs.network.sent[index]?.datagram ?? NOTHING);
    const before = pairs.network.sent.length;
    pairs.network.inject(pairs.server, trailing(message5 ?? NOTHING, random), pairs.server.to(CLIENT));
    expect(pairs.network.sent.slice(before).map(({ datagram }) => datagram)).toEqual([message6]);
  });

  it('are ignored by IKEv2, in a repeated message as well', () => {
    const random = new SeededRandom(2);
    const harness = new Harness();
    harness.initiate();
    for (let next = harness.flying[0]; next !== undefined; next = harness.flying[0]) {
      const { from, name } = next;
      const taken = harness.take(from, name);
      harness.deliver({ ...taken, datagram: trailing(taken.datagram, random) });
      if (from !== 'left') continue;
      const answer = harness.take('right');
      harness.deliver({ ...taken, datagram: trailing(taken.datagram, random) });
      expect(harness.take('right').datagram).toEqual(answer.datagram);
      harness.deliver({ ...answer, datagram: trailing(answer.datagram, random) });
    }
    expect(problems(harness)).toEqual([]);
    expect(harness.left.views(harness.now)[0]?.path.remote.address).toBe(RIGHT_ADDRESS);
  });
});
