/** Flushes more and more into the state directory of the first argument; prints what became of each flush, as JSON. */
import { TrafficCore } from '../../../../firmware/config/traffic/traffic-core.ts';
import { TrafficRings } from '../../../../firmware/config/traffic/traffic-rings.ts';
import { fill } from './fill-rings.ts';

const core = new TrafficCore(process.argv[2] ?? '');
const opened = core.open();
const rings = new TrafficRings({ now: 0, wall: 0 });
const results = [];
for (let quarter = 0; quarter < 4; quarter += 1) {
  fill(rings, 60, quarter * 900, 900, 0);
  results.push(core.flush(rings.place(0), rings.changes(), '{}'));
}
core.close();
const again = new TrafficCore(process.argv[2] ?? '').open();
process.stdout.write(JSON.stringify({ note: opened.note, results, chunks: again.chunks.length, again: again.note }));
