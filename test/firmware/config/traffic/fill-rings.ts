/** Rings with traffic in them, as a busy branch has it. */
import type { TrafficRings } from '../../../../firmware/config/traffic/traffic-rings.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

/** Feeds `series` series for so many seconds, from `from` on. */
export function fill(rings: TrafficRings, series: number, from: number, seconds: number, wall: number): void {
  const random = new SeededRandom(from + 1);
  for (let second = from; second < from + seconds; second += 1) {
    rings.advance(second * 1000, wall + second * 1000);
    for (let index = 0; index < series; index += 1) {
      rings.add(`l2tp.branch-${index}.received`, random.int(1_000_000));
    }
  }
}
