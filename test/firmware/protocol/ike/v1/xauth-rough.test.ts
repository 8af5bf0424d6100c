import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../../../firmware/protocol/bytes.ts';
import { deletePayload } from '../../../../../firmware/protocol/ike/v1/informational.ts';
import {
  ConfigAttributeType as Config,
  ConfigType,
  PayloadType,
} from '../../../../../firmware/protocol/ike/v1/numbers.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { asking } from './gateway.ts';
import { Host, Network } from './network.ts';
import { RoughCaller } from './rough-caller.ts';
import { CLIENT, range, SERVER } from './setup.ts';
import { meet, reasons, rough, server, user } from './xauth-setup.ts';

describe('a caller that takes its time', () => {
  it('is asked again, a bounded number of times, then told good-bye', () => {
    const { network, hub, caller } = rough();
    network.run(200_000);
    expect(hub.trace.filter((line) => line.startsWith('sent XAUTH REQUEST'))).toHaveLength(13);
    // R-U-THERE does not disturb whoever types.
    expect(caller.informed).toEqual([[PayloadType.delete]]);
    expect(reasons(hub)).toEqual([`${CLIENT}:500 was asked for user and password and did not answer`]);
    expect(hub.last('ike-down')?.failure.cause).toBe('silence');
    expect(hub.endpoint.idle).toBe(true);
  });

  it('may type for a minute', () => {
    const { network, hub, caller } = rough();
    network.run(60_000);
    caller.logIn('bob', 'builder');
    network.run(100);
    caller.answer(ConfigType.ack, []);
    network.run(100);
    expect(hub.last('ike-up')?.peer.user).toBe('bob');
  });

  it('and never says ACK, nor goes on, is told good-bye', () => {
    const { network, hub, caller } = rough();
    caller.logIn('alice', 'wonder land');
    network.run(60_000);
    expect(reasons(hub)).toEqual([`user alice is let in, and ${CLIENT}:500 did not acknowledge it`]);
    expect(hub.all('ike-up')).toEqual([]);
  });
});

describe('what comes in another order', () => {
  it('Quick Mode before the login is not answered; the same one is when the login is good, though no ACK came', () => {
    const { network, hub, caller, own } = rough(
      server(undefined, { remoteSelectors: [range('10.99.0.7', '10.99.0.7')], dpdSeconds: 0 }),
    );
    const before = caller.datagrams;
    const first = caller.startQuickMode(network.now, own);
    network.run(400);
    expect(caller.datagrams).toBe(before);
    expect([hub.endpoint.counters.unexpected, hub.all('child-up')]).toEqual([1, []]);
    caller.logIn('alice', 'wonder land');
    network.run(100);
    expect(hub.all('ike-up')).toEqual([]);
    caller.repeat(first);
    network.run(100);
    expect(hub.last('ike-up')?.peer.user).toBe('alice');
    expect(caller.connected).toBe(true);
    // It may not have heard the verdict, and is told again until it says so.
    const told = () => hub.trace.filter((line) => line.startsWith('sent XAUTH SET')).length;
    network.run(2000);
    expect(told()).toBe(2);
    caller.answer(ConfigType.ack, []);
    network.run(10_000);
    expect(told()).toBe(2);
    network.run(60_000);
    expect(hub.all('ike-down')).toEqual([]);
  });

  it('Quick Mode after a login that is not good is not answered', () => {
    const { network, hub, caller, own } = rough();
    caller.logIn('alice', 'guess');
    network.run(100);
    caller.startQuickMode(network.now, own);
    network.run(30_000);
    expect([hub.all('ike-up'), hub.all('child-up'), caller.connected]).toEqual([[], [], false]);
  });

  it('Mode-Config before the login is not answered, and the same request is in place of the ACK', () => {
    const { network, hub, caller } = rough();
    const request = caller.say(ConfigType.request, asking(Config.internalIp4Address));
    network.run(100);
    expect(caller.heard).toHaveLength(1);
    caller.logIn('alice', 'wonder land');
    network.run(100);
    caller.repeat(request);
    network.run(100);
    expect(caller.heard.at(-1)?.payload.attributes.map(({ value }) => value.join('.'))).toEqual(['10.99.0.7']);
    expect(hub.last('ike-up')?.peer.user).toBe('alice');
  });

  it.each(['XAUTH REQUEST', 'XAUTH SET', 'XAUTH REPLY', 'XAUTH ACK', 'Mode-Config REQUEST', 'Mode-Config REPLY'])(
    'a %s that is lost comes again, and one that is doubled does nothing',
    (lost) => {
      for (const doubled of [false, true]) {
        const network = new Network(3, doubled ? { duplicate: 1 } : {});
        const client = network.add('client', CLIENT, [user()]);
        const hub = network.add('server', SERVER, [server()]);
        let dropped = false;
        network.filter = ({ from }) => {
          const last = from.all('trace').at(-1);
          if (doubled || dropped || last?.direction !== 'sent' || last.message !== lost) return true;
          dropped = true;
          return false;
        };
        client.endpoint.initiate(network.now, 'client', client.to(SERVER));
        network.run(8000);
        expect(dropped).toBe(!doubled);
        expect([hub.all('ike-up').length, hub.all('child-up').length, client.all('child-up').length]).toEqual([
          1, 1, 1,
        ]);
        expect(reasons(hub)).toEqual([]);
      }
    },
  );
});

describe('somebody else who has the key, at the place of a user', () => {
  /** He says that he remembers no SA, and deletes the one of alice, before he has logged in. */
  function intrude() {
    const met = meet(user({ dpdSeconds: 0 }), server(undefined, { dpdSeconds: 0 }));
    const { network, hub, client } = met;
    network.hosts.splice(network.hosts.indexOf(client), 1);
    const own = user({ dpdSeconds: 0 });
    const path = { local: { address: CLIENT, port: 500 }, remote: { address: SERVER, port: 500 } };
    const caller = new RoughCaller(network.now, own, path, new SeededRandom(9), true);
    network.hosts.push(new Host('caller', CLIENT, caller));
    network.run(500);
    const [alice] = hub.endpoint.secrets().map(({ ike }) => ike);
    if (alice?.version !== 1) throw new Error('there is no SA of alice');
    caller.inform([deletePayload({ ...caller.sa, ...alice })]);
    network.run(500);
    return { ...met, caller };
  }

  it('ends nothing of that user before he has logged in, nor as another user', () => {
    const { network, hub, caller } = intrude();
    expect([hub.all('ike-down'), hub.all('child-down')]).toEqual([[], []]);
    caller.logIn('bob', 'builder');
    network.run(100);
    caller.answer(ConfigType.ack, []);
    network.run(1000);
    expect(hub.all('ike-up').map(({ peer, replaces }) => [peer.user, replaces])).toEqual([
      ['alice', undefined],
      ['bob', undefined],
    ]);
    expect([hub.all('ike-down'), hub.all('child-down')]).toEqual([[], []]);
  });

  it('takes the place of that user as himself', () => {
    const { network, hub, caller } = intrude();
    caller.logIn('alice', 'wonder land');
    network.run(100);
    caller.answer(ConfigType.ack, []);
    network.run(1000);
    expect(reasons(hub)).toEqual(['the peer has started again and has another ISAKMP SA now']);
    caller.say(ConfigType.request, asking(Config.internalIp4Address));
    network.run(100);
    expect(caller.heard.at(-1)?.payload.attributes.map(({ value }) => value.join('.'))).toEqual(['10.99.0.7']);
  });
});

describe('what is no good answer', () => {
  const overlong = concatBytes(Uint8Array.of(2, 0, 0, 0, 0x40, 0x89, 0xff, 0xff), new Uint8Array(40));
  const many = concatBytes(Uint8Array.of(2, 0, 0, 0), ...Array<Uint8Array>(65).fill(Uint8Array.of(0x40, 0x89, 0, 0)));
  const endless = concatBytes(Uint8Array.of(2, 0, 0, 0, 0x40, 0x89, 0x0b, 0xb8), new Uint8Array(3000).fill(97));
  const NAME = Uint8Array.of(0x40, 0x89, 0, 5, 0x61, 0x6c, 0x69, 0x63, 0x65);
  const shortForm = concatBytes(Uint8Array.of(2, 0, 0, 0), NAME, Uint8Array.of(0xc0, 0x8a, 0x77, 0x6f));

  it.each([
    ['a length beyond the end', overlong],
    ['65 attributes', many],
    ['a name of 3000 octets', endless],
    ['a password in the short form', shortForm],
    ['no octet', new Uint8Array(0)],
    ['half a head', Uint8Array.of(2, 0)],
    ['a kind that there is not', Uint8Array.of(9, 0, 0, 0)],
    ['an ACK in place of a REPLY', Uint8Array.of(4, 0, 0, 0)],
  ])('lets nobody in: %s', (_what, body) => {
    const { network, hub, caller } = rough();
    caller.answerRaw(body);
    network.run(200_000);
    expect(hub.all('ike-up')).toEqual([]);
    expect(hub.all('ike-down')).toHaveLength(1);
    expect(hub.endpoint.idle).toBe(true);
  });

  it.each([1, 2, 3])('octets at random let nobody in and throw nothing (seed %i)', (seed) => {
    const random = new SeededRandom(seed);
    for (let round = 0; round < 25; round += 1) {
      const { network, hub, caller } = rough(server(), seed * 100 + round);
      for (let message = 0; message < 4; message += 1) {
        const body = random.bytes(random.int(80));
        body[0] = 1 + random.int(4);
        if (message % 2 === 0) caller.answerRaw(body);
        else caller.sealRaw(body);
        network.run(50);
      }
      network.run(200_000);
      expect(hub.all('ike-up')).toEqual([]);
      expect(hub.endpoint.idle).toBe(true);
    }
  });
});
