import { describe, expect, it } from 'vitest';
import { ipv6Text } from '../../../../firmware/protocol/ipv6-address.ts';
import {
  decodeRouterDiscovery,
  encodeAdvertisement,
  encodeSolicitation,
} from '../../../../firmware/protocol/ndp/messages.ts';
import { RouterAdvertiser, type RouterAdvertiserOptions } from '../../../../firmware/protocol/ndp/router-advertiser.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const OPTIONS: RouterAdvertiserOptions = {
  source: 'fe80::1',
  prefix: '2001:db8:7::',
  dns: ['2001:db8::53'],
  mtu: 1400,
};

class Bench {
  readonly machine: RouterAdvertiser;
  now = 1000;
  constructor(options: Partial<RouterAdvertiserOptions> = {}, seed = 1) {
    this.machine = new RouterAdvertiser({ ...OPTIONS, ...options }, new SeededRandom(seed));
  }

  start(): this {
    this.machine.start(this.now);
    return this;
  }

  hear(packet: Uint8Array): this {
    this.machine.receive(this.now, packet);
    return this;
  }

  /** Lets time go by. @returns when and to whom advertisements went out, ms since the beginning of the wait. */
  wait(ms: number): { readonly after: number; readonly to: string; readonly lifetime: number }[] {
    const from = this.now;
    const sent = this.taken(from);
    for (;;) {
      const next = this.machine.nextDeadline();
      if (next === undefined || next > from + ms) break;
      this.now = Math.max(this.now, next);
      this.machine.tick(this.now);
      sent.push(...this.taken(from));
    }
    this.now = from + ms;
    return sent;
  }

  taken(from: number) {
    const sent: { after: number; to: string; lifetime: number }[] = [];
    for (let output = this.machine.poll(); output; output = this.machine.poll()) {
      const message = decodeRouterDiscovery(output.packet);
      if (message.kind !== 'advertisement') throw new Error('a solicitation of a router');
      const to = ipv6Text(output.packet.subarray(24, 40));
      sent.push({ after: this.now - from, to, lifetime: message.lifetimeSeconds });
    }
    return sent;
  }
}

describe('a router on a link', () => {
  it('advertises its prefix for addresses and not as on-link, the MTU and the DNS servers', () => {
    const bench = new Bench().start();
    const packet = bench.machine.poll()?.packet ?? new Uint8Array();
    expect(decodeRouterDiscovery(packet)).toEqual({
      kind: 'advertisement',
      source: 'fe80::1',
      hopLimit: 64,
      managed: false,
      other: false,
      lifetimeSeconds: 1800,
      mtu: 1400,
      prefixes: [
        {
          prefix: '2001:db8:7::',
          length: 64,
          onLink: false,
          autonomous: true,
          validSeconds: 86_400,
          preferredSeconds: 14_400,
        },
      ],
      dns: [{ lifetimeSeconds: 1800, servers: ['2001:db8::53'] }],
    });
  });

  it('has nothing to say of prefixes and servers that it has not', () => {
    const { prefix: _, ...rest } = OPTIONS;
    const machine = new RouterAdvertiser({ ...rest, dns: [] }, new SeededRandom(1));
    machine.start(0);
    expect(decodeRouterDiscovery(machine.poll()?.packet ?? new Uint8Array())).toMatchObject({ prefixes: [], dns: [] });
  });

  it('says so at once, twice more within 32 s, and then every 200 to 600 s', () => {
    const sent = new Bench().start().wait(4_000_000);
    const at = sent.map(({ after }) => after);
    expect(at.slice(0, 3)).toEqual([0, 16_000, 32_000]);
    const gaps = at.slice(3).map((time, index) => time - (at[index + 2] ?? 0));
    expect(gaps.length).toBeGreaterThan(5);
    for (const gap of gaps) {
      expect(gap).toBeGreaterThanOrEqual(200_000);
      expect(gap).toBeLessThanOrEqual(600_000);
    }
    expect(new Set(gaps).size).toBeGreaterThan(3);
    expect(new Set(sent.map(({ to }) => to))).toEqual(new Set(['ff02::1']));
  });

  it('answers a host within half a second, several questions at once', () => {
    const bench = new Bench().start();
    bench.wait(100_000);
    const question = encodeSolicitation('fe80::7');
    const sent = bench.hear(question).hear(question).hear(question).wait(2000);
    expect(sent).toHaveLength(1);
    expect(sent[0]?.to).toBe('fe80::7');
    expect(sent[0]?.after).toBeLessThanOrEqual(500);
  });

  it('answers a host without an address by telling all, not more often than every three seconds', () => {
    const bench = new Bench().start();
    bench.wait(100_000);
    const times: number[] = [];
    for (let second = 0; second < 20; second += 1) {
      const sent = bench.hear(encodeSolicitation('::')).wait(1000);
      times.push(...sent.map(({ after }) => second * 1000 + after));
      for (const { to } of sent) expect(to).toBe('ff02::1');
    }
    expect(times.length).toBeGreaterThan(4);
    for (const [index, time] of times.entries()) {
      if (index > 0) expect(time - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(3000);
    }
  });

  it('is not moved by anything else', () => {
    const bench = new Bench().start();
    bench.wait(100_000);
    const deadline = bench.machine.nextDeadline();
    bench.hear(Uint8Array.of(1, 2, 3)).hear(new Uint8Array());
    bench.hear(encodeSolicitation('fe80::7').map((octet, at) => (at === 7 ? 64 : octet)));
    const ofARouter = { kind: 'advertisement', source: 'fe80::2', hopLimit: 0, managed: false, other: false } as const;
    bench.hear(encodeAdvertisement({ ...ofARouter, lifetimeSeconds: 0, prefixes: [], dns: [] }));
    expect(bench.machine.nextDeadline()).toBe(deadline);
  });

  it('says goodbye once, with lifetime 0, and is silent then', () => {
    const bench = new Bench().start();
    bench.wait(100_000);
    bench.hear(encodeSolicitation('fe80::7'));
    bench.machine.stop();
    bench.machine.stop();
    bench.hear(encodeSolicitation('fe80::7'));
    expect(bench.wait(10_000_000)).toEqual([{ after: 0, to: 'ff02::1', lifetime: 0 }]);
  });

  it('says nothing before it was started', () => {
    const bench = new Bench().hear(encodeSolicitation('fe80::7'));
    bench.machine.stop();
    expect(bench.wait(10_000_000)).toEqual([]);
  });
});
