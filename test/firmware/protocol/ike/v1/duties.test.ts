import { describe, expect, it } from 'vitest';
import { DecodeError } from '../../../../../firmware/protocol/bytes.ts';
import { natdHash } from '../../../../../firmware/protocol/ike/nat.ts';
import { DeadPeerDetection } from '../../../../../firmware/protocol/ike/v1/dpd.ts';
import { fragment, MAX_DATAGRAM_OCTETS, Reassembly } from '../../../../../firmware/protocol/ike/v1/fragmentation.ts';
import { decodeMessage, encodeMessage } from '../../../../../firmware/protocol/ike/v1/header.ts';
import { handleInformational } from '../../../../../firmware/protocol/ike/v1/informational.ts';
import { agreedLifetime, lifetimeFrom } from '../../../../../firmware/protocol/ike/v1/lifetimes.ts';
import { detectNat, natdPayloads } from '../../../../../firmware/protocol/ike/v1/natd.ts';
import { encodeDelete, isakmpNotification } from '../../../../../firmware/protocol/ike/v1/notification.ts';
import { NotifyType, PayloadType } from '../../../../../firmware/protocol/ike/v1/numbers.ts';
import { decodePayloads, encodePayloads, firstType } from '../../../../../firmware/protocol/ike/v1/payload.ts';
import type { Phase1Outcome } from '../../../../../firmware/protocol/ike/v1/phase1.ts';
import { ReplayCache } from '../../../../../firmware/protocol/ike/v1/replay-cache.ts';
import { Retransmission } from '../../../../../firmware/protocol/ike/v1/retransmit.ts';
import {
  initiatorVendorIds,
  recognizeVendor,
  responderVendorIds,
} from '../../../../../firmware/protocol/ike/v1/vendor-ids.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { octets } from '../octets.ts';
import { connect, initiate, l2tpClient, l2tpServer, makePair } from './setup.ts';

const NO_WISH = { agreed: false, forced: false };
const SELF = { vendorId: true, encapsulateAmongOurselves: true };
const cookies = { cookieI: octets('0102030405060708'), cookieR: octets('1112131415161718') };

describe('NAT discovery', () => {
  const a = { address: '192.0.2.1', port: 500 };
  const b = { address: '192.0.2.2', port: 500 };
  const fromB = natdPayloads('rfc3947', 'sha1', cookies, { local: b, remote: a }, undefined);
  const seenByA = { local: a, remote: b };

  it('finds none where both hashes fit', () => {
    const found = detectNat('rfc3947', fromB, 'sha1', cookies, seenByA, NO_WISH);
    expect(found).toEqual({ traversal: 'rfc3947', local: false, remote: false });
  });

  it('finds on which side it is', () => {
    const inside = { address: '10.0.0.5', port: 500 };
    const here = detectNat('rfc3947', fromB, 'sha1', cookies, { local: inside, remote: b }, NO_WISH);
    expect([here.local, here.remote, here.encapsulation]).toEqual([true, false, 'nat']);
    const there = detectNat('rfc3947', fromB, 'sha1', cookies, { local: a, remote: { ...b, port: 1024 } }, NO_WISH);
    expect([there.local, there.remote, there.encapsulation]).toEqual([false, true, 'nat']);
  });

  it('takes any of several source hashes', () => {
    const other = {
      type: PayloadType.natD,
      body: natdHash('sha1', cookies.cookieI, cookies.cookieR, { address: '10.9.9.9', port: 500 }),
    };
    const [destination, source] = fromB;
    if (destination === undefined || source === undefined) throw new Error('two payloads');
    const several = [destination, other, source, other];
    expect(detectNat('rfc3947', several, 'sha1', cookies, seenByA, NO_WISH).remote).toBe(false);
    expect(detectNat('rfc3947', [destination, other], 'sha1', cookies, seenByA, NO_WISH).remote).toBe(true);
  });

  it('uses the negotiated hash and the payload numbers of the negotiated text', () => {
    expect(detectNat('rfc3947', fromB, 'md5', cookies, seenByA, NO_WISH).local).toBe(true);
    const draft = natdPayloads('draft', 'sha1', cookies, { local: b, remote: a }, undefined);
    expect(draft.map(({ type }) => type)).toEqual([130, 130]);
    expect(detectNat('draft', draft, 'sha1', cookies, seenByA, NO_WISH).encapsulation).toBeUndefined();
  });

  it('does not count without NAT-D payloads, even where a NAT is to be pretended', () => {
    const found = detectNat('rfc3947', [], 'sha1', cookies, seenByA, { agreed: true, forced: true });
    expect(found).toEqual({ local: false, remote: false });
  });
});

describe('vendor ids', () => {
  it('name what both sides know, the standard before the drafts', () => {
    const offered = recognizeVendor(SELF, initiatorVendorIds(SELF, false), 'caller');
    expect(offered).toMatchObject({ natTraversal: 'rfc3947', deadPeerDetection: true, fragmentation: true });
    expect(recognizeVendor(SELF, responderVendorIds(SELF, offered, false), 'caller').natTraversal).toBe('rfc3947');
    const drafts = initiatorVendorIds(SELF, false).slice(1);
    expect(
      recognizeVendor(SELF, responderVendorIds(SELF, recognizeVendor(SELF, drafts, 'caller'), false), 'caller')
        .natTraversal,
    ).toBe('draft');
  });

  it('tell the implementation, and Windows as what it is though it sends others as well', () => {
    const body = octets('1e2b516905991c7d7c96fcbfb587e46100000009');
    expect(recognizeVendor(SELF, [{ type: 13, body }], 'caller').implementation).toBe('Windows');
    expect(recognizeVendor(SELF, [], 'caller').implementation).toBe('');
  });

  it('of the drafts make both sides use their payload and mode numbers', () => {
    const pair = makePair({ clientBehindNat: true });
    pair.network.mangle = ({ datagram }) => {
      const { header, body } = decodeMessage(datagram);
      if (header.exchangeType !== 2 || header.flags !== 0) return datagram;
      const kept = decodePayloads(header.nextPayload, body).filter(
        (payload) => payload.type !== 13 || recognizeVendor(SELF, [payload], 'caller').natTraversal !== 'rfc3947',
      );
      return encodeMessage({ ...header, nextPayload: firstType(kept) }, encodePayloads(kept));
    };
    initiate(pair);
    pair.network.run(2000);
    const [child] = pair.server.all('child-up');
    expect(child?.child).toMatchObject({ udpEncapsulation: true, natOriginal: { remote: '10.0.0.5' } });
    const types = pair.network.sent.slice(2, 4).flatMap(({ datagram }) => {
      const { header, body } = decodeMessage(datagram);
      return decodePayloads(header.nextPayload, body).map(({ type }) => type);
    });
    expect(types).toContain(130);
    expect(types).not.toContain(20);
  });
});

describe('fragmentation', () => {
  const header = { ...cookies, nextPayload: 8, exchangeType: 32, flags: 1, messageId: 77 };
  const message = encodeMessage(header, new SeededRandom(1).bytes(5000));
  const pieces = fragment(header, message, 5);

  it('leaves short messages whole', () => {
    const short = encodeMessage(header, new Uint8Array(MAX_DATAGRAM_OCTETS - 28));
    expect(fragment(header, short, 1)).toEqual([short]);
  });

  it('puts a message together in whatever order its pieces come, repeated ones included', () => {
    expect(pieces.length).toBe(5);
    for (const piece of pieces) expect(piece.length).toBeLessThanOrEqual(MAX_DATAGRAM_OCTETS);
    const reassembly = new Reassembly();
    const shuffled = [4, 1, 1, 0, 3].map((at) => pieces[at] ?? new Uint8Array());
    for (const piece of shuffled) expect(reassembly.add(0, decodeMessage(piece).body)).toBeUndefined();
    expect(reassembly.add(0, decodeMessage(pieces[2] ?? new Uint8Array()).body)).toEqual(message);
  });

  it('begins anew with another message, even under the same id, and after a while', () => {
    const other = encodeMessage(header, new SeededRandom(2).bytes(1500));
    const reassembly = new Reassembly();
    reassembly.add(0, decodeMessage(pieces[0] ?? new Uint8Array()).body);
    const [first, second] = fragment(header, other, 5).map((piece) => decodeMessage(piece).body);
    expect(reassembly.add(0, first ?? new Uint8Array())).toBeUndefined();
    expect(reassembly.add(0, second ?? new Uint8Array())).toEqual(other);
    reassembly.add(0, first ?? new Uint8Array());
    expect(reassembly.add(60_000, second ?? new Uint8Array())).toBeUndefined();
  });

  it('is bounded', () => {
    const body = (number: number, length: number): Uint8Array => {
      const data = [0, 1, number, 0, ...new Array<number>(length).fill(7)];
      return encodePayloads([{ type: 132, body: Uint8Array.from(data) }]);
    };
    expect(() => new Reassembly().add(0, body(25, 10))).toThrow(DecodeError);
    expect(() => new Reassembly().add(0, body(0, 10))).toThrow(DecodeError);
    const reassembly = new Reassembly();
    reassembly.add(0, body(1, 20_000));
    expect(() => reassembly.add(0, body(2, 20_000))).toThrow(DecodeError);
  });

  it('carries long messages of an exchange, each piece a datagram of its own', () => {
    const espProposals = Array.from({ length: 60 }, () => ({ encryption: 'aes128', integrity: 'sha1', esn: false }));
    const { network, client, server } = connect({ client: l2tpClient({ espProposals }) });
    expect(server.all('child-up')).toHaveLength(1);
    const first = network.sent.filter(({ from, datagram }) => from === client && datagram[16] === 132);
    expect(first.length).toBeGreaterThan(1);
  });
});

describe('retransmission', () => {
  it('waits 1, 2, 4, 8 and 8 s and then gives up', () => {
    const retransmission = new Retransmission(0);
    const seen: [number, string][] = [];
    for (let now = 0; now <= 30_000; now += 500) {
      const due = retransmission.due(now);
      if (due !== 'nothing') seen.push([now, due]);
      if (due === 'exhausted') break;
    }
    expect(seen).toEqual([
      [1000, 'resend'],
      [3000, 'resend'],
      [7000, 'resend'],
      [15_000, 'resend'],
      [23_000, 'exhausted'],
    ]);
  });

  it('makes one more try after a hint that there will be no answer', () => {
    const retransmission = new Retransmission(0);
    retransmission.hurry();
    expect(retransmission.due(1000)).toBe('resend');
    expect(retransmission.due(3000)).toBe('exhausted');
  });
});

describe('the memory of replies', () => {
  it('knows the last request of each message id, and forgets the oldest', () => {
    const cache = new ReplayCache();
    cache.remember(1, octets('aa'), octets('bb'));
    expect(cache.recognize(1, octets('aa'))).toEqual({ kind: 'repeated', reply: octets('bb') });
    expect(cache.recognize(1, octets('ab'))).toEqual({ kind: 'new' });
    expect(cache.recognize(2, octets('aa'))).toEqual({ kind: 'new' });
    for (let id = 10; id < 80; id += 1) cache.remember(id, octets('cc'));
    expect(cache.recognize(1, octets('aa'))).toEqual({ kind: 'new' });
    expect(cache.recognize(79, octets('cc'))).toEqual({ kind: 'repeated' });
  });
});

describe('dead peer detection', () => {
  it('asks after the silence, repeats the question under its number, and gives up', () => {
    const dpd = new DeadPeerDetection(0, 10, new SeededRandom(1));
    expect(dpd.due(9999)).toEqual({ kind: 'nothing' });
    const first = dpd.due(10_000);
    expect(first.kind).toBe('ask');
    expect(dpd.due(12_000)).toEqual(first);
    for (const now of [14_000, 16_000, 18_000]) dpd.due(now);
    expect(dpd.due(20_000)).toEqual({ kind: 'dead' });
  });

  it('counts each question, and takes only the answer to the open one', () => {
    const dpd = new DeadPeerDetection(0, 10, new SeededRandom(1));
    const first = dpd.due(10_000);
    if (first.kind !== 'ask') throw new Error('it does not ask');
    expect([dpd.isAnswer(first.sequence), dpd.isAnswer(first.sequence + 1)]).toEqual([true, false]);
    dpd.heard(11_000);
    expect(dpd.due(21_000)).toEqual({ kind: 'ask', sequence: first.sequence + 1 });
  });

  it('can be switched off', () => {
    expect(new DeadPeerDetection(0, 0, new SeededRandom(1)).deadline).toBeUndefined();
  });

  it('is not used with a peer that does not announce it', () => {
    const pair = makePair();
    pair.network.mangle = ({ datagram }) => {
      const { header, body } = decodeMessage(datagram);
      if (header.exchangeType !== 2 || header.flags !== 0) return datagram;
      const kept = decodePayloads(header.nextPayload, body).filter(
        (payload) => payload.type !== 13 || !recognizeVendor(SELF, [payload], 'caller').deadPeerDetection,
      );
      return encodeMessage({ ...header, nextPayload: firstType(kept) }, encodePayloads(kept));
    };
    initiate(pair);
    pair.network.run(120_000);
    expect(pair.network.sent).toHaveLength(9);
    expect(pair.client.all('ike-down')).toEqual([]);
  });
});

describe('lifetimes', () => {
  it('agree on the shorter one, within reason', () => {
    expect(agreedLifetime(3600, 1800)).toBe(1800);
    expect(agreedLifetime(3600, 86_400)).toBe(3600);
    expect(agreedLifetime(3600, undefined)).toBe(3600);
    expect(agreedLifetime(3600, 1)).toBe(60);
    expect(agreedLifetime(0xffffffff, undefined)).toBe(30 * 86_400);
  });

  it('have the initiator rekey well before the responder, and both before the end', () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const ours = lifetimeFrom(0, 1000, true, new SeededRandom(seed));
      const theirs = lifetimeFrom(0, 1000, false, new SeededRandom(seed + 1000));
      expect(ours.rekeyAt).toBeLessThan(800_001);
      expect(theirs.rekeyAt).toBeGreaterThan(849_999);
      expect(theirs.rekeyAt).toBeLessThan(theirs.expiresAt);
    }
  });
});

describe('an Informational', () => {
  const log: string[] = [];
  let ended = false;
  const effects = {
    received: () => {},
    childDeleted: (spi: number) => log.push(`child ${spi}`),
    isakmpDeleted: () => {
      ended = true;
    },
    over: () => ended,
    initialContact: () => log.push('initial contact'),
    areYouThere: () => log.push('are you there'),
    hereIAm: () => log.push('here'),
    shorten: () => log.push('shorten'),
    disbelieved: () => log.push('disbelieved'),
    refused: (type: number) => log.push(`refused ${type}`),
  };
  const sa = { ...cookies, connection: l2tpServer() } as Phase1Outcome;

  it('touches nothing any more once a Delete has ended the ISAKMP SA', () => {
    const remove = (protocol: number, spi: Uint8Array) => ({
      type: PayloadType.delete,
      body: encodeDelete({ protocol, spis: [spi, spi] }),
    });
    const notify = { type: PayloadType.notification, body: isakmpNotification(NotifyType.initialContact) };
    handleInformational(
      sa,
      [remove(3, octets('00001000')), remove(1, new Uint8Array(16)), notify, remove(3, octets('00002000'))],
      effects,
    );
    expect(log).toEqual(['child 4096', 'child 4096']);
  });
});

describe('a fourth message of Quick Mode', () => {
  it('is ignored, as is anything else under a message id that was used', () => {
    const { network, client, server } = connect({ server: l2tpServer() });
    const quickMode = network.sent.filter(({ datagram }) => datagram[18] === 32).map(({ datagram }) => datagram);
    expect(quickMode).toHaveLength(3);
    const fourth = Uint8Array.from(quickMode[2] ?? []);
    fourth[30] = (fourth[30] ?? 0) ^ 1;
    network.inject(client, fourth, client.to('192.0.2.2'));
    network.inject(server, fourth, server.to('192.0.2.1'));
    expect([client.endpoint.counters.unexpected, server.endpoint.counters.unexpected]).toEqual([1, 1]);
    expect([client.all('child-up').length, server.all('child-up').length]).toEqual([1, 1]);
    expect(network.sent).toHaveLength(9);
  });
});
