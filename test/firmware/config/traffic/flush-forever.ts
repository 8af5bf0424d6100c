/** Flushes rings again and again, until it is killed. Usage: flush-forever.ts DIRECTORY */
import { writeSync } from 'node:fs';
import { chunksSince } from '../../../../firmware/config/traffic/traffic-chunks.ts';
import { TrafficDatabase } from '../../../../firmware/config/traffic/traffic-database.ts';
import { TrafficRings } from '../../../../firmware/config/traffic/traffic-rings.ts';

const [directory = ''] = process.argv.slice(2);
const database = new TrafficDatabase(directory);
const { mark = { time: 0 } } = database.load();
const rings = new TrafficRings(0, mark.time);
for (let second = 1; ; second += 1) {
  const counters = Array.from({ length: 20 }, (_, index) => [`c${index}`, second * 1_000 * (index + 1)] as const);
  rings.sample(second * 1_000, new Map(counters));
  if (second % 60 !== 0) continue;
  database.flush(chunksSince(rings, rings.time - 60_000), { time: rings.time, wall: 0, day: 0, octets: 0 });
  writeSync(1, `${rings.time}\n`);
}
