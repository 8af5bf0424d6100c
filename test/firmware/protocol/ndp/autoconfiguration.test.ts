import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Autoconfiguration, type Autoconfigured } from '../../../../firmware/protocol/ndp/autoconfiguration.ts';
import { encodeDiscovery } from '../../../../firmware/protocol/ndp/icmpv6.ts';
import {
  decodeRouterDiscovery,
  encodeAdvertisement,
  type RouterAdvertisement,
} from '../../../../firmware/protocol/ndp/messages.ts';
import type { PrefixInformation } from '../../../../firmware/protocol/ndp/options.ts';
import { RouterAdvertiser } from '../../../../firmware/protocol/ndp/router-advertiser.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const INTERFACE_ID = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 7);
const HOUR = 3_600_000;
const NOTHING: Autoconfigured = { addresses: [], dns: [], mtu: 1400 };

const PREFIX: PrefixInformation = {
  prefix: '2001:db8:1::',
  length: 64,
  onLink: false,
  autonomous: true,
  validSeconds: 86_400,
  preferredSeconds: 3600,
};
const ADDRESS = { address: '2001:db8:1::7', prefix: '2001:db8:1::', deprecated: false };

class Host {
  readonly machine = new Autoconfiguration({ interfaceId: INTERFACE_ID, linkMtu: 1400 });
  readonly changes: Autoconfigured[] = [];
  /** When solicitations went out. */
  readonly asked: number[] = [];
  now = 0;

  start(): this {
    this.machine.start(this.now);
    return this.drain();
  }

  drain(): this {
    for (let output = this.machine.poll(); output; output = this.machine.poll()) {
      if (output.kind === 'send') {
        expect(decodeRouterDiscovery(output.packet)).toEqual({ kind: 'solicitation', source: 'fe80::7' });
        this.asked.push(this.now);
      } else {
        const { kind: _, ...state } = output;
        this.changes.push(state);
      }
    }
    return this;
  }

  hear(advertisement: Partial<RouterAdvertisement>): this {
    const whole = { source: 'fe80::1', hopLimit: 64, managed: false, other: false, lifetimeSeconds: 1800 };
    return this.hearPacket(encodeAdvertisement({ ...whole, prefixes: [], dns: [], ...advertisement }));
  }

  hearPrefix(prefix: Partial<PrefixInformation>): this {
    return this.hear({ prefixes: [{ ...PREFIX, ...prefix }] });
  }

  hearPacket(packet: Uint8Array): this {
    this.machine.receive(this.now, packet);
    return this.drain();
  }

  wait(ms: number): this {
    const until = this.now + ms;
    for (;;) {
      const next = this.machine.nextDeadline();
      if (next === undefined || next > until) break;
      this.now = Math.max(this.now, next);
      this.machine.tick(this.now);
      this.drain();
    }
    this.now = until;
    return this;
  }

  get state(): Autoconfigured {
    return this.machine.state(this.now);
  }
}

describe('a host', () => {
  it('asks three times, four seconds apart, when nobody answers', () => {
    const host = new Host().start().wait(HOUR);
    expect(host.asked).toEqual([0, 4000, 8000]);
    expect(host.machine.nextDeadline()).toBeUndefined();
    expect(host.changes).toEqual([]);
  });

  it('stops asking once a router answers, and goes on when it is none', () => {
    expect(new Host().start().wait(1000).hear({}).wait(HOUR).asked).toEqual([0]);
    expect(new Host().start().wait(1000).hear({ lifetimeSeconds: 0 }).wait(HOUR).asked).toEqual([0, 4000, 8000]);
  });

  it('makes an address from the prefix and its identifier, and tells it once', () => {
    const host = new Host().start().hearPrefix({}).wait(60_000).hearPrefix({});
    expect(host.changes).toEqual([{ ...NOTHING, addresses: [ADDRESS], router: 'fe80::1' }]);
    expect(host.state).toEqual(host.changes[0]);
  });

  it('takes an advertisement long after it stopped asking', () => {
    expect(new Host().start().wait(HOUR).hearPrefix({}).state.addresses).toEqual([ADDRESS]);
  });

  it.each<[string, Partial<PrefixInformation>]>([
    ['without the A flag', { autonomous: false }],
    ['that is link-local', { prefix: 'fe80::' }],
    ['that is a group', { prefix: 'ff02::' }],
    ['of this host itself', { prefix: '::' }],
    ['of 63 bits', { length: 63 }],
    ['of 65 bits', { length: 65 }],
    ['whose preferred lifetime is above the valid one', { validSeconds: 3599 }],
    ['whose valid lifetime is 0', { validSeconds: 0, preferredSeconds: 0 }],
  ])('makes no address from a prefix %s', (_, prefix) => {
    expect(new Host().start().hearPrefix(prefix).state.addresses).toEqual([]);
  });

  it('has at most four addresses and four DNS servers', () => {
    const host = new Host().start();
    for (let net = 1; net <= 9; net += 1) {
      host.hearPrefix({ prefix: `2001:db8:${net}::` });
      host.hear({ dns: [{ lifetimeSeconds: 60, servers: [`2001:db8::${net}`] }] });
    }
    expect(host.state.addresses.map(({ address }) => address)).toEqual([1, 2, 3, 4].map((net) => `2001:db8:${net}::7`));
    expect(host.state.dns).toHaveLength(4);
  });

  it('tells the first change at once, and what a restless router says every three seconds at most', () => {
    const host = new Host().start().hearPrefix({});
    expect(host.changes).toHaveLength(1);
    for (let tenth = 0; tenth < 100; tenth += 1) {
      host.hear({ dns: [{ lifetimeSeconds: tenth % 2 === 0 ? 60 : 0, servers: ['fd00::53'] }] }).wait(100);
    }
    expect(host.changes).toHaveLength(4);
    host.hear({ dns: [{ lifetimeSeconds: 60, servers: ['fd00::54'] }] }).wait(3000);
    expect(host.changes.at(-1)?.dns).toContain('fd00::54');
    expect(host.machine.nextDeadline()).toBeGreaterThan(host.now);
  });

  it('uses what a router is only as long as it says', () => {
    const host = new Host().start().hear({ lifetimeSeconds: 60 }).wait(59_999);
    expect(host.state.router).toBe('fe80::1');
    host.wait(1);
    expect(host.state.router).toBeUndefined();
    host.hear({ lifetimeSeconds: 60 }).hear({ source: 'fe80::2', lifetimeSeconds: 0 });
    expect(host.state.router).toBe('fe80::1');
    host.hear({ lifetimeSeconds: 0 }).wait(3000);
    expect(host.changes.at(-1)).toEqual(NOTHING);
  });

  it('takes an MTU between 1280 and that of the link', () => {
    const host = new Host().start();
    for (const mtu of [1279, 1401, 0, 0xffffffff]) expect(host.hear({ mtu }).state.mtu).toBe(1400);
    expect(host.hear({ mtu: 1280 }).state.mtu).toBe(1280);
  });

  it('takes DNS servers for as long as they are told, and away when told', () => {
    const servers = ['2001:db8::53', 'fd00::53'];
    const host = new Host().start().hear({ dns: [{ lifetimeSeconds: 60, servers }] });
    expect(host.state.dns).toEqual(servers);
    host.hear({ dns: [{ lifetimeSeconds: 0, servers: ['fd00::53'] }] });
    expect(host.state.dns).toEqual(['2001:db8::53']);
    host.wait(60_000);
    expect(host.state.dns).toEqual([]);
    host.hear({ dns: [{ lifetimeSeconds: 60, servers: ['fe80::53', 'ff02::fb', '::'] }] });
    expect(host.state.dns).toEqual([]);
    host.hear({ dns: [{ lifetimeSeconds: 0xffffffff, servers }] }).wait(10_000 * HOUR);
    expect(host.state.dns).toEqual(servers);
  });

  it.each<[string, Uint8Array]>([
    ['from elsewhere', encodeDiscovery('2001:db8::1', 'ff02::1', 134, new Uint8Array(12))],
    ['that solicits', encodeDiscovery('fe80::1', 'ff02::2', 133, new Uint8Array(4))],
    ['that is none', Uint8Array.of(1, 2, 3)],
  ])('is not moved by a message %s', (_, packet) => {
    const host = new Host().start().hearPacket(packet);
    expect([host.changes, host.machine.nextDeadline()]).toEqual([[], 4000]);
  });
});

describe('the lifetimes of an address', () => {
  it('make it deprecated, and then take it away', () => {
    const host = new Host().start().hearPrefix({ validSeconds: 7200, preferredSeconds: 3600 }).wait(HOUR);
    expect(host.state.addresses).toEqual([{ ...ADDRESS, deprecated: true }]);
    host.wait(HOUR);
    expect(host.state.addresses).toEqual([]);
    expect(host.changes.map(({ addresses }) => addresses.length)).toEqual([1, 1, 1, 0]);
  });

  it('may last for ever', () => {
    const forEver = { validSeconds: 0xffffffff, preferredSeconds: 0xffffffff };
    const host = new Host()
      .start()
      .hearPrefix(forEver)
      .wait(1_000_000 * HOUR);
    expect(host.state.addresses).toEqual([ADDRESS]);
    expect(host.machine.nextDeadline()).toBeUndefined();
  });

  /** How long an address lasts that had `remaining` seconds left when an advertisement said `told`. */
  function lasts(remaining: number, told: number): number {
    const host = new Host().start().hearPrefix({ validSeconds: remaining, preferredSeconds: 0 });
    host.hearPrefix({ validSeconds: told, preferredSeconds: 0 });
    const start = host.now;
    while (host.state.addresses.length > 0) host.wait((host.machine.nextDeadline() ?? 0) - host.now);
    return (host.now - start) / 1000;
  }

  it.each([
    ['longer than two hours is believed, even if that is less', 86_400, 7201, 7201],
    ['longer than what is left is believed', 60, 61, 61],
    ['shorter than both cuts no more than down to two hours', 86_400, 1, 7200],
    ['zero cuts no more than down to two hours', 86_400, 0, 7200],
    ['shorter is ignored when there are less than two hours left', 7000, 1, 7000],
    ['of two hours, when there are two hours left, is ignored', 7200, 7199, 7200],
  ])('%s', (_, remaining, told, expected) => {
    expect(lasts(remaining, told)).toBe(expected);
  });

  it('never end early by what anybody says, in any order', () => {
    const claim = fc.record({ after: fc.nat(4000), valid: fc.nat(20_000) });
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 20 }), (claims) => {
        const host = new Host().start().hearPrefix({ validSeconds: 10_000, preferredSeconds: 0 });
        let promised = 10_000_000;
        for (const { after, valid } of claims) {
          host.wait(after * 1000);
          const isThere = host.state.addresses.length > 0;
          expect(isThere).toBe(host.now < promised);
          if (!isThere) return;
          // RFC 4862 section 5.5.3 e, in other words.
          const told = host.now + valid * 1000;
          const floor = host.now + 2 * HOUR;
          promised = Math.max(told, Math.min(promised, floor));
          host.hearPrefix({ validSeconds: valid, preferredSeconds: 0 });
        }
      }),
    );
  });

  it('let a router deprecate an address at once', () => {
    const host = new Host().start().hearPrefix({}).hearPrefix({ preferredSeconds: 0 });
    expect(host.state.addresses).toEqual([{ ...ADDRESS, deprecated: true }]);
    expect(host.hearPrefix({}).state.addresses).toEqual([ADDRESS]);
  });
});

it('a host and our own router agree', () => {
  const host = new Host().start();
  const options = { source: 'fe80::1', prefix: '2001:db8:1::', dns: ['fd00::53'], mtu: 1300 };
  const router = new RouterAdvertiser(options, new SeededRandom(3));
  router.start(0);
  const carry = (): void => {
    for (let output = router.poll(); output; output = router.poll()) host.hearPacket(output.packet);
  };
  carry();
  expect(host.state).toEqual({ addresses: [ADDRESS], router: 'fe80::1', dns: ['fd00::53'], mtu: 1300 });
  router.stop();
  carry();
  expect(host.state).toEqual({ addresses: [ADDRESS], dns: [], mtu: 1300 });
});
