/** Flushes into the database of the first argument until it is killed; each number is printed once it is written. */
import { writeSync } from 'node:fs';
import { RING_NAMES, RINGS } from '../../../../firmware/config/traffic/ring-shape.ts';
import { TrafficDatabase } from '../../../../firmware/config/traffic/traffic-database.ts';

const database = new TrafficDatabase(process.argv[2] ?? '');
const first = (database.load().place?.second ?? 0) + 1;
for (let number = first; ; number += 1) {
  const chunks = RING_NAMES.map((ring) => {
    const values = new Float64Array(RINGS[ring].chunkSlots).map((_, slot) => number * 1000 + ((slot * 7919) % 1000));
    return { ring, index: 0, series: new Map(Array.from({ length: 20 }, (_, index) => [`s${index}`, values])) };
  });
  database.flush({ second: number, wall: number }, chunks, '{}');
  writeSync(1, `${number}\n`);
}
