/**
 * Runs inside a network namespace of its own: `node watch-scenario.ts STATE_DIRECTORY`. Sets the network, watches it, and prints
 * `ready` and then every line of the log, until its input ends; then takes all of it back.
 */

import { journalScope, NetworkJournal } from '../../../firmware/network/journal.ts';
import { FILTER_TABLE } from '../../../firmware/network/marks.ts';
import { NetworkWatch } from '../../../firmware/network/network-watch.ts';
import { Reconciler } from '../../../firmware/network/reconciler.ts';
import { LinuxClock } from '../../../hal/linux/clock.ts';
import { LinuxLinks } from '../../../hal/linux/links.ts';
import { openNetworkEvents } from '../../../hal/linux/network-events.ts';
import { LinuxPacketFilter } from '../../../hal/linux/packet-filter.ts';
import { parsed, protectedDocument, withValue } from '../config/example.ts';

const [stateDirectory = ''] = process.argv.slice(2);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

let ready = false;
const log = (line: string): void => {
  if (ready) print(line);
};
const reconciler = new Reconciler({
  links: new LinuxLinks(),
  packetFilter: new LinuxPacketFilter(),
  journal: new NetworkJournal({ stateDirectory, scope: journalScope() }),
  log,
});
const watch = new NetworkWatch({
  clock: new LinuxClock(),
  open: () => openNetworkEvents(FILTER_TABLE),
  repair: () => reconciler.repair(),
  log,
});

let document = withValue(protectedDocument(), 'l2tp.clients.hq.masquerade', true);
document = withValue(document, 'interfaces.lan.mtu', 1400);
await reconciler.reconcile({ configuration: parsed(document), tunnels: [] });
watch.start();
ready = true;
print('ready');
process.stdin.resume();
process.stdin.on('end', async () => {
  await watch.stop();
  ready = false;
  await reconciler.close();
});
