import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { firstValue } from '../../../../firmware/protocol/radius/attribute-value.ts';
import { CODE } from '../../../../firmware/protocol/radius/packet.ts';
import { checkRequest, passwordOf } from '../../../../firmware/protocol/radius/sealing.ts';
import { accept, answer, Bench, FIRST, SECOND, SECRET } from './harness.ts';

const ONE = `${FIRST}:1812`;
const TWO = `${SECOND}:1812`;

describe('a question about a user', () => {
  it('goes to the first server, provable and with the password hidden, and its answer comes back', () => {
    const bench = new Bench();
    bench.servers.set(ONE, accept([{ name: 'framedIpAddress', value: '10.98.0.7' }]));
    const question = bench.ask();
    const packet = bench.asked[0]?.packet;
    expect(packet && checkRequest(packet, SECRET)).toBe(true);
    expect(packet && passwordOf(packet, SECRET)).toEqual(utf8Bytes('alice-pw'));
    expect(bench.told).toEqual([
      {
        kind: 'answer',
        question,
        server: 0,
        code: CODE.accessAccept,
        attributes: [expect.anything(), { name: 'framedIpAddress', value: '10.98.0.7' }],
      },
    ]);
    expect(bench.client.nextDeadline()).toBeUndefined();
  });

  it('is sent again as it was, with waits that double and are spread', () => {
    const bench = new Bench([FIRST]);
    bench.ask();
    bench.pass(30_000);
    expect(bench.asked).toHaveLength(3);
    const [first, second, third] = bench.asked;
    expect(second?.datagram).toEqual(first?.datagram);
    expect(third?.datagram).toEqual(first?.datagram);
    const waits = [(second?.at ?? 0) - (first?.at ?? 0), (third?.at ?? 0) - (second?.at ?? 0)];
    expect(waits[0]).toBeGreaterThanOrEqual(900);
    expect(waits[0]).toBeLessThanOrEqual(1100);
    expect(waits[1]).toBeGreaterThanOrEqual(1800);
    expect(waits[1]).toBeLessThanOrEqual(2200);
    expect(bench.failures).toEqual([`the RADIUS server ${FIRST}:1812 does not answer`]);
  });

  it('goes to the second server when the first is silent, as a new packet', () => {
    const bench = new Bench();
    bench.servers.set(TWO, accept());
    bench.ask();
    bench.pass(8000);
    expect(bench.asking).toEqual([ONE, ONE, ONE, TWO]);
    expect(bench.asked[3]?.packet.authenticator).not.toEqual(bench.asked[0]?.packet.authenticator);
    expect(bench.told.map(({ kind }) => kind)).toEqual(['silent', 'answer']);
  });

  it('fails in words that name every server, in less time than PPP gives', () => {
    const bench = new Bench();
    const begun = bench.now;
    bench.ask();
    bench.pass(25_000);
    expect(bench.failures).toEqual([
      `the RADIUS server ${FIRST}:1812 does not answer; the RADIUS server ${SECOND}:1812 does not answer`,
    ]);
    expect(bench.asked.at(-1)?.at).toBeLessThan(begun + 24_000);
    expect(bench.client.nextDeadline()).toBeUndefined();
  });

  it('takes no longer than its budget, however patient the servers’ settings are', () => {
    const slow = { port: 1812, accountingPort: 1813, secret: SECRET, timeoutMs: 10_000, tries: 9 };
    const bench = new Bench([], { servers: [FIRST, SECOND].map((host) => ({ ...slow, host })) });
    bench.ask();
    bench.pass(24_000);
    expect(bench.failures).toHaveLength(1);
  });

  it('that answers a challenge goes to the server that gave it, and to no other', () => {
    const bench = new Bench();
    bench.servers.set(ONE, accept());
    bench.ask(1);
    bench.pass(25_000);
    expect(bench.asking).toEqual([TWO, TWO, TWO]);
    expect(bench.failures).toHaveLength(1);
  });

  it('is forgotten when nobody wants to know any more', () => {
    const bench = new Bench();
    const question = bench.ask();
    bench.run((client, now) => client.forget(now, question));
    expect(bench.client.nextDeadline()).toBeUndefined();
    const [asked] = bench.asked;
    if (asked) bench.run((client, now) => client.receive(now, asked.remote, accept()(asked)));
    expect(bench.told).toEqual([]);
  });

  it('is answered by the first server even when the second has been asked meanwhile', () => {
    const bench = new Bench();
    bench.ask();
    bench.pass(8000);
    const [asked] = bench.asked;
    if (asked) bench.run((client, now) => client.receive(now, asked.remote, accept()(asked)));
    expect(bench.told.map(({ kind }) => kind)).toEqual(['silent', 'answers', 'answer']);
  });
});

describe('servers', () => {
  it('that are silent are passed over, tried by one question once, and preferred again when they answer', () => {
    const bench = new Bench();
    bench.servers.set(TWO, accept());
    bench.ask();
    bench.pass(8000);
    bench.asked.length = 0;
    bench.ask();
    expect(bench.asking).toEqual([TWO]);
    bench.pass(30_000);
    bench.asked.length = 0;
    // One of two that come together finds out; the other does not wait for that.
    bench.ask();
    bench.ask();
    expect(bench.asking).toEqual([ONE, TWO]);
    bench.pass(2000);
    expect(bench.asking).toEqual([ONE, TWO, TWO]);
    bench.pass(30_000);
    bench.servers.set(ONE, accept());
    bench.asked.length = 0;
    bench.ask();
    bench.ask();
    expect(bench.asking).toEqual([ONE, ONE]);
    expect(bench.told.filter(({ kind }) => kind === 'answers')).toHaveLength(1);
  });

  it('that are all silent are each asked once more, and not for as long', () => {
    const bench = new Bench();
    bench.ask();
    bench.pass(25_000);
    bench.asked.length = 0;
    bench.ask();
    bench.pass(3000);
    expect(bench.asking).toEqual([ONE, TWO]);
    expect(bench.failures).toHaveLength(2);
  });

  it('whose port is closed are left at once for the next one', () => {
    const bench = new Bench();
    bench.servers.set(TWO, accept());
    bench.ask();
    bench.run((client, now) => client.pathError(now, { address: FIRST, port: 1812 }, 'ECONNREFUSED'));
    expect(bench.asking).toEqual([ONE, TWO]);
    expect(bench.client.servers[0]?.failure?.reason).toContain('nothing listens on that port');
  });

  it('of which the last one’s port is closed have until their time-out to prove otherwise', () => {
    const bench = new Bench([FIRST]);
    bench.ask();
    bench.run((client, now) => client.pathError(now, { address: FIRST, port: 1812 }, 'ECONNREFUSED'));
    expect(bench.failures).toEqual([]);
    bench.pass(1200);
    expect(bench.asking).toEqual([ONE]);
    expect(bench.failures).toEqual([
      `the RADIUS server ${ONE} cannot be reached: nothing listens on that port (ECONNREFUSED)`,
    ]);
  });

  it('that answered others meanwhile are not dead for one question that they ignore', () => {
    const bench = new Bench([FIRST]);
    bench.ask();
    bench.pass(500);
    bench.servers.set(ONE, accept());
    bench.ask();
    bench.servers.delete(ONE);
    bench.pass(10_000);
    expect(bench.failures).toHaveLength(1);
    expect(bench.client.servers[0]?.state).toBe('answers');
  });

  it('are asked by name when their name is resolved, and nobody waits longer than that', () => {
    const bench = new Bench(['radius.example']);
    bench.servers.set(ONE, accept());
    bench.ask();
    bench.ask();
    expect(bench.told).toEqual([{ kind: 'resolve', server: 0, host: 'radius.example' }]);
    bench.run((client, now) => client.addressed(now, 0, FIRST));
    expect(bench.told.filter(({ kind }) => kind === 'answer')).toHaveLength(2);
  });

  it('whose name cannot be resolved say so, and are looked up again later', () => {
    const bench = new Bench(['radius.example']);
    const failure = { step: 'resolve', reason: 'no DNS server answered', remedy: 'check the uplink' };
    bench.ask();
    bench.run((client, now) => client.unresolved(now, 0, failure));
    expect(bench.failures).toEqual([
      'the address of the RADIUS server radius.example is not known: no DNS server answered',
    ]);
    bench.ask();
    expect(bench.failures).toHaveLength(2);
    bench.pass(6000);
    bench.ask();
    expect(bench.told.filter(({ kind }) => kind === 'resolve')).toHaveLength(2);
  });

  it('are seen in status with what was asked and answered', () => {
    const bench = new Bench([FIRST]);
    bench.servers.set(ONE, accept());
    bench.ask();
    bench.servers.delete(ONE);
    bench.ask();
    bench.pass(10_000);
    expect(bench.client.servers[0]).toMatchObject({
      host: FIRST,
      service: 'authentication',
      state: 'silent',
      counters: { requests: 2, answers: 1, retransmissions: 2, timeouts: 3 },
      failure: { reason: `the RADIUS server ${ONE} does not answer` },
    });
    expect(bench.client.servers[1]).toMatchObject({ service: 'accounting', state: 'untried' });
  });
});

describe('an answer', () => {
  it.each([
    {
      what: 'with another secret',
      reply: accept([], utf8Bytes('another secret')),
      words: 'answers, but not with our shared secret',
      counter: 'unproved',
    },
    {
      what: 'without a Message-Authenticator',
      reply: (asked: Parameters<typeof answer>[0]) => answer(asked, CODE.accessAccept, [], SECRET, false),
      words: 'answers without a Message-Authenticator',
      counter: 'unproved',
    },
    {
      what: 'with a code that is none',
      reply: (asked: Parameters<typeof answer>[0]) => answer(asked, CODE.accountingResponse, []),
      words: 'answers what is no RADIUS or breaks its rules',
      counter: 'malformed',
    },
  ] as const)('$what is not believed, and is what the failure tells', ({ reply, words, counter }) => {
    const bench = new Bench([FIRST]);
    bench.servers.set(ONE, reply);
    bench.ask();
    bench.pass(10_000);
    expect(bench.told.map(({ kind }) => kind)).toEqual(['silent', 'failed']);
    expect(bench.failures[0]).toContain(words);
    expect(bench.client.servers[0]?.counters[counter]).toBe(3);
  });

  it('without a Message-Authenticator is believed where that is configured, save with EAP', () => {
    const bench = new Bench([FIRST], { requireMessageAuthenticator: false });
    bench.servers.set(ONE, (asked) => answer(asked, CODE.accessAccept, [], SECRET, false));
    bench.ask();
    expect(bench.told.map(({ kind }) => kind)).toEqual(['answer']);
    const eap = [{ name: 'eapMessage', value: Uint8Array.of(3, 1, 0, 4) }] as const;
    bench.servers.set(ONE, (asked) => answer(asked, CODE.accessAccept, eap, SECRET, false));
    bench.ask();
    expect(bench.client.servers[0]?.counters.unproved).toBe(1);
  });

  it('that is wrong does not keep out the right one behind it', () => {
    const bench = new Bench([FIRST]);
    bench.servers.set(ONE, accept([], utf8Bytes('forged')));
    bench.ask();
    const [asked] = bench.asked;
    if (asked) bench.run((client, now) => client.receive(now, asked.remote, accept()(asked)));
    expect(bench.told.map(({ kind }) => kind)).toEqual(['answer']);
  });

  it('from elsewhere, or a second one, changes nothing and is counted', () => {
    const bench = new Bench([FIRST]);
    bench.ask();
    const [asked] = bench.asked;
    const good = asked ? accept()(asked) : new Uint8Array();
    for (const remote of [
      { address: '10.0.0.7', port: 1812 },
      { address: FIRST, port: 1645 },
    ]) {
      bench.run((client, now) => client.receive(now, remote, good));
    }
    expect(bench.told).toEqual([]);
    expect(bench.client.strangers).toBe(2);
    const remote = { address: FIRST, port: 1812 };
    bench.run((client, now) => client.receive(now, remote, good));
    bench.run((client, now) => client.receive(now, remote, good));
    expect(bench.told).toHaveLength(1);
    expect(bench.client.servers[0]?.counters.duplicates).toBe(1);
  });
});

describe('many questions', () => {
  it('have a number each, wait for their turn, and are refused beyond a bound', () => {
    const bench = new Bench([FIRST]);
    for (let count = 0; count < 1250; count += 1) bench.ask();
    expect(bench.asked).toHaveLength(200);
    expect(new Set(bench.asked.map(({ packet }) => packet.identifier)).size).toBe(200);
    expect(bench.failures).toHaveLength(50);
    expect(bench.failures[0]).toBe('1000 questions to the RADIUS servers wait for an answer already');
    bench.servers.set(ONE, accept());
    // All that have been sent are answered at the next try, and all that waited at once.
    bench.pass(2000);
    expect(bench.told.filter(({ kind }) => kind === 'answer')).toHaveLength(1200);
  });

  it('that wait in vain are refused in time', () => {
    const bench = new Bench([FIRST]);
    for (let count = 0; count < 900; count += 1) bench.ask();
    bench.pass(25_000);
    expect(bench.failures).toHaveLength(900);
    expect(bench.client.nextDeadline()).toBeUndefined();
  });

  it('come from identifiers in turn, so that a late answer meets no other question', () => {
    const bench = new Bench([FIRST]);
    bench.servers.set(ONE, accept());
    for (let count = 0; count < 300; count += 1) bench.ask();
    const identifiers = bench.asked.map(({ packet }) => packet.identifier);
    const [first = 0] = identifiers;
    expect(identifiers).toEqual(identifiers.map((_, index) => (first + index) % 256));
    const names = bench.asked.map(({ packet }) => firstValue(packet.attributes, 'userName'));
    expect(names[299]).toEqual(utf8Bytes('alice'));
  });
});
