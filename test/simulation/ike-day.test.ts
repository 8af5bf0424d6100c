import { describe, expect, it } from 'vitest';
import { IkePair } from './ike-pair.ts';

const HOUR_MS = 3_600_000;
const seed = Number(process.env['CULVERT_SEED'] ?? '1');

describe(`a day on a line that loses 2 %, seed ${seed}`, () => {
  it.each([
    [1, true, 17],
    [1, false, 8],
    [2, true, 17],
    [2, false, 8],
  ] as const)(
    'IKEv%i rekeys every hour and holds no more than in the first one, NAT %s, ESP every %i s',
    (version, nat, seconds) => {
      const pair = new IkePair({
        version,
        seed,
        nat,
        weather: { loss: 0.02, duplicate: 0.02, delay: [5, 80] },
        ikeLifetime: 14_400,
        childLifetime: 3600,
        dpdSeconds: 10,
        encapsulateAmongOurselves: true,
        espEveryMs: seconds * 1000,
      });
      const { network, hosts } = pair;
      network.capture = false;
      expect(pair.connect(120_000)).toBe(true);
      const attempts = hosts.map(({ failures }) => failures.length);
      let unopened = 0;
      pair.watch = (host, other) => {
        if (!other.opens(host)) unopened += 1;
      };
      const children = new Set<number>();
      for (let hour = 1; hour <= 24; hour += 1) {
        pair.run(HOUR_MS);
        if (hour % 5 === 0) pair.nat.remap();
        for (const host of hosts) {
          const held = host.endpoint.views(network.now);
          expect(held.length).toBeLessThanOrEqual(3);
          expect(held.flatMap((view) => view.children.length).reduce((sum, count) => sum + count, 0)).toBe(
            host.children.size,
          );
          expect(host.children.size).toBeLessThanOrEqual(3);
          expect(host.up.size).toBe(1);
          expect(host.established).toBe(1);
          expect(host.endpoint.nextDeadline()).toBeGreaterThan(network.now);
          for (const id of host.children.keys()) children.add(id);
        }
        // One ESP timer a side, what is on its way, and wake-ups: those that another has overtaken are still in the list.
        expect(network.pending).toBeLessThan(5000);
      }
      for (const [index, host] of hosts.entries()) {
        expect(host.failures.slice(attempts[index])).toEqual([]);
        expect(host.problems).toEqual([]);
        // Every four hours, with jitter.
        expect(host.rekeys).toBeGreaterThanOrEqual(5);
        expect(host.rekeys).toBeLessThanOrEqual(12);
        // A few wake-ups a minute: liveness, mostly.
        expect(host.wakeUps).toBeLessThan(40_000);
      }
      expect(children.size).toBeGreaterThanOrEqual(20);
      expect(unopened).toBe(0);
      for (const host of hosts) host.run((now) => host.endpoint.shutdown(now));
      pair.run(120_000);
      expect(hosts.map(({ quiet }) => quiet)).toEqual([true, true]);
    },
  );
});
