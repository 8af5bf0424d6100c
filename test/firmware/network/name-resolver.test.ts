import { type Answer, decode, encode, type Packet, type Question } from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  NameResolver,
  type NameResolverOptions,
  type NameResolverOutput,
} from '../../../firmware/network/name-resolver.ts';
import { uplinkDnsServers } from '../../../firmware/network/uplink-dns.ts';
import { exampleConfiguration, exampleDocument, parsed, withValue } from '../config/example.ts';

const TRUNCATED = 1 << 9;
const [SERVFAIL, NXDOMAIN, REFUSED] = [2, 3, 5];
const A = '192.0.2.53';
const B = '192.0.2.54';

/** A source that counts: every number differs from the last. */
function counting() {
  let next = 0x1000;
  return {
    bytes: (length: number) => {
      next += 1;
      const bytes = new Uint8Array(length);
      new DataView(bytes.buffer).setUint16(0, next);
      return bytes;
    },
  };
}

function resolver(options: Partial<NameResolverOptions> = {}): NameResolver {
  return new NameResolver({ name: 'vpn.example.com', servers: [A, B], random: counting(), now: 0, ...options });
}

function outputs(subject: NameResolver): NameResolverOutput[] {
  const all: NameResolverOutput[] = [];
  for (let output = subject.poll(); output !== undefined; output = subject.poll()) all.push(output);
  return all;
}

interface Sent {
  readonly server: { readonly address: string; readonly port: number };
  readonly id: number;
  readonly question: Question;
}

function sent(subject: NameResolver): Sent[] {
  return outputs(subject).map((output) => {
    if (output.kind !== 'send') throw new Error(`${JSON.stringify(output)} is no query`);
    const packet = decode(Buffer.from(output.datagram));
    const question = packet.questions?.[0];
    if (question === undefined) throw new Error('no question');
    return { server: output.server, id: packet.id ?? -1, question };
  });
}

function reply(query: Sent | undefined, answers: Answer[], extra: Packet = {}): Uint8Array {
  if (query === undefined) throw new Error('no query to reply to');
  return encode({ type: 'response', id: query.id, questions: [query.question], answers, ...extra });
}

const address = (data: string, name = 'vpn.example.com'): Answer => ({ type: 'A', name, data, ttl: 60 });
const alias = (name: string, data: string): Answer => ({ type: 'CNAME', name, data });

describe('the resolver', () => {
  it('asks the first server and gives the addresses of its answer', () => {
    const subject = resolver();
    const [query, ...more] = sent(subject);
    expect(more).toEqual([]);
    expect(query).toMatchObject({ server: { address: A, port: 53 }, question: { name: 'vpn.example.com', type: 'A' } });
    expect(subject.nextDeadline()).toBe(2000);
    subject.receive(10, { address: A, port: 53 }, reply(query, [address('198.51.100.1'), address('198.51.100.2')]));
    expect(outputs(subject)).toEqual([{ kind: 'done', addresses: ['198.51.100.1', '198.51.100.2'] }]);
    expect(subject.nextDeadline()).toBeUndefined();
  });

  it.each(['198.51.100.7', '2001:DB8::1'])('answers the address %s itself', (name) => {
    expect(outputs(resolver({ name, servers: [] }))).toEqual([{ kind: 'done', addresses: [name.toLowerCase()] }]);
  });

  it('asks one server after the other, two seconds each, three rounds, with fresh numbers', () => {
    const subject = resolver();
    const queries = sent(subject);
    for (let now = 2000; subject.nextDeadline() !== undefined && now < 20_000; now += 2000) {
      subject.tick(now - 1);
      expect(outputs(subject)).toEqual([]);
      subject.tick(now);
      if (subject.nextDeadline() !== undefined) queries.push(...sent(subject));
    }
    expect(queries.map(({ server }) => server.address)).toEqual([A, B, A, B, A, B]);
    expect(new Set(queries.map(({ id }) => id)).size).toBe(6);
    expect(outputs(subject)).toEqual([
      {
        kind: 'failed',
        failure: {
          step: 'resolve',
          reason: `no DNS server answered for vpn.example.com (asked ${A}, ${B}, 3 times each)`,
          remedy: 'check the uplink and its DNS servers, or write the server as an address',
        },
      },
    ]);
  });

  it('takes a late answer of a server that was asked before', () => {
    const subject = resolver();
    const [first] = sent(subject);
    subject.tick(2000);
    sent(subject);
    subject.receive(2100, { address: A, port: 53 }, reply(first, [address('198.51.100.1')]));
    expect(outputs(subject)).toEqual([{ kind: 'done', addresses: ['198.51.100.1'] }]);
  });

  it.each([
    ['SERVFAIL', SERVFAIL],
    ['REFUSED', REFUSED],
  ])('goes to the next server at once after %s, and says so when all do', (word, flags) => {
    const subject = resolver();
    for (let turn = 0; turn < 6; turn += 1) {
      const [query] = sent(subject);
      subject.receive(turn, query?.server ?? { address: '', port: 0 }, reply(query, [], { flags }));
    }
    const [failed] = outputs(subject);
    expect(failed).toMatchObject({ kind: 'failed', failure: { step: 'resolve' } });
    expect(JSON.stringify(failed)).toContain(`the DNS server ${B} answered ${word} for vpn.example.com`);
  });

  it('believes NXDOMAIN at once', () => {
    const subject = resolver();
    const [query] = sent(subject);
    subject.receive(1, { address: A, port: 53 }, reply(query, [], { flags: NXDOMAIN }));
    expect(JSON.stringify(outputs(subject))).toContain(
      `the name vpn.example.com does not exist, says the DNS server ${A}`,
    );
  });

  it('says so when the name has no address', () => {
    const subject = resolver();
    const [query] = sent(subject);
    subject.receive(1, { address: A, port: 53 }, reply(query, []));
    expect(JSON.stringify(outputs(subject))).toContain('exists but has no IPv4 address');
  });

  it('asks elsewhere after an answer that was cut short, unless an address was in it', () => {
    const subject = resolver();
    const [query] = sent(subject);
    subject.receive(1, { address: A, port: 53 }, reply(query, [], { flags: TRUNCATED }));
    const [next] = sent(subject);
    expect(next?.server.address).toBe(B);
    subject.receive(2, { address: B, port: 53 }, reply(next, [address('198.51.100.1')], { flags: TRUNCATED }));
    expect(outputs(subject)).toEqual([{ kind: 'done', addresses: ['198.51.100.1'] }]);
  });

  it('follows aliases inside the answer, in any order and case, and no loop', () => {
    const chain = [address('198.51.100.9', 'node.example.net'), alias('edge.example.net', 'NODE.example.net')];
    const subject = resolver();
    const [query] = sent(subject);
    const answers = [
      ...chain,
      alias('VPN.example.com', 'edge.example.net'),
      address('203.0.113.1', 'unrelated.example'),
    ];
    subject.receive(1, { address: A, port: 53 }, reply(query, answers));
    expect(outputs(subject)).toEqual([{ kind: 'done', addresses: ['198.51.100.9'] }]);

    const looped = resolver();
    const [again] = sent(looped);
    const loop = [alias('vpn.example.com', 'a.example'), alias('a.example', 'vpn.example.com')];
    looped.receive(1, { address: A, port: 53 }, reply(again, loop));
    expect(outputs(looped)[0]?.kind).toBe('failed');
  });

  it('leaves out addresses that no server can have', () => {
    const subject = resolver();
    const [query] = sent(subject);
    subject.receive(1, { address: A, port: 53 }, reply(query, [address('0.0.0.0'), address('224.0.0.1')]));
    expect(outputs(subject)[0]?.kind).toBe('failed');
  });

  it('asks for both families, waits for both, and takes one when the other does not come', () => {
    const subject = resolver({ families: [4, 6] });
    const [a, aaaa] = sent(subject);
    expect([a?.question.type, aaaa?.question.type]).toEqual(['A', 'AAAA']);
    const six: Answer = { type: 'AAAA', name: 'vpn.example.com', data: '2001:db8::5' };
    subject.receive(1, { address: A, port: 53 }, reply(aaaa, [six]));
    expect(outputs(subject)).toEqual([]);
    subject.receive(2, { address: A, port: 53 }, reply(a, [address('198.51.100.1')]));
    expect(outputs(subject)).toEqual([{ kind: 'done', addresses: ['198.51.100.1', '2001:db8::5'] }]);

    const half = resolver({ families: [4, 6], servers: [A] });
    const [, only] = sent(half);
    half.receive(1, { address: A, port: 53 }, reply(only, [six]));
    for (const now of [2000, 4000]) {
      half.tick(now);
      expect(sent(half).map(({ question }) => question.type)).toEqual(['A']);
    }
    half.tick(6000);
    expect(outputs(half)).toEqual([{ kind: 'done', addresses: ['2001:db8::5'] }]);
  });

  it.each<[string, (query: Sent) => readonly [{ address: string; port: number }, Uint8Array]]>([
    [
      'from another address',
      (query) => [{ address: '203.0.113.66', port: 53 }, reply(query, [address('203.0.113.1')])],
    ],
    ['from another port', (query) => [{ address: A, port: 5353 }, reply(query, [address('203.0.113.1')])]],
    [
      'from a server that was not asked yet',
      (query) => [{ address: B, port: 53 }, reply(query, [address('203.0.113.1')])],
    ],
    ['with another number', (query) => [query.server, reply({ ...query, id: query.id ^ 1 }, [address('203.0.113.1')])]],
    [
      'to another name',
      (query) => [
        query.server,
        reply({ ...query, question: { name: 'x.example', type: 'A' } }, [address('203.0.113.1')]),
      ],
    ],
    [
      'to another type',
      (query) => [query.server, reply({ ...query, question: { name: 'vpn.example.com', type: 'AAAA' } }, [])],
    ],
    [
      'that is a query',
      (query) => [query.server, encode({ type: 'query', id: query.id, questions: [query.question] })],
    ],
    [
      'without a question',
      (query) => [query.server, encode({ type: 'response', id: query.id, answers: [address('203.0.113.1')] })],
    ],
    ['cut off', (query) => [query.server, reply(query, [address('203.0.113.1')]).subarray(0, 40)]],
    ['of one octet', (query) => [query.server, new Uint8Array([1])]],
  ])('drops a datagram %s', (_, forge) => {
    const subject = resolver();
    const [query] = sent(subject);
    if (query === undefined) throw new Error('no query');
    subject.receive(1, ...forge(query));
    expect(outputs(subject)).toEqual([]);
    expect(subject.nextDeadline()).toBe(2000);
  });

  it('survives any datagram behind a right number', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.boolean(), (noise, keepHead) => {
        const subject = resolver();
        const [query] = sent(subject);
        const head = reply(query, [address('198.51.100.1')]).subarray(0, keepHead ? 33 : 2);
        const datagram = new Uint8Array([...head, ...noise]);
        if (keepHead) datagram.set([(noise[0] ?? 0) & 0x3f, noise[1] ?? 0], 6);
        subject.receive(1, { address: A, port: 53 }, datagram);
        outputs(subject);
      }),
    );
  });

  it('has words for a missing server and a wrong name', () => {
    expect(outputs(resolver({ servers: [] }))[0]).toMatchObject({
      failure: { reason: 'no DNS server is known to ask for vpn.example.com' },
    });
    expect(outputs(resolver({ name: 'a b' }))[0]).toMatchObject({ kind: 'failed' });
  });
});

describe('uplinkDnsServers', () => {
  const system =
    '# by hand\nnameserver 192.0.2.1\nnameserver 2001:DB8::1 \nsearch x\nnameserver no\nnameserver 192.0.2.1\n';

  it('are those of the WAN interface', () => {
    const own = withValue(exampleDocument(), 'interfaces.wan.ipv4.dns', ['9.9.9.9']);
    const configuration = parsed(withValue(own, 'interfaces.lan.ipv4.dns', ['192.168.12.53']));
    expect(uplinkDnsServers(configuration, system)).toEqual(['9.9.9.9']);
  });

  it('are those of the system when the WAN has none', () => {
    expect(uplinkDnsServers(exampleConfiguration(), system)).toEqual(['192.0.2.1', '2001:db8::1']);
    expect(uplinkDnsServers(exampleConfiguration(), undefined)).toEqual([]);
  });
});
