/**
 * Runs inside a network namespace of its own: `node namespace-scenario.ts STEP STATE_DIRECTORY`. Prints the report as
 * JSON. `reconcile` does so twice; `crash` is killed after the first run; `restore` is the next start; `cycle` starts,
 * runs, ends; `protect` runs once with the tunnels of IPsec, none of which stands.
 */

import { journalScope, NetworkJournal } from '../../../firmware/network/journal.ts';
import { Reconciler } from '../../../firmware/network/reconciler.ts';
import { LinuxLinks } from '../../../hal/linux/links.ts';
import { LinuxPacketFilter } from '../../../hal/linux/packet-filter.ts';
import { exampleDocument, parsed, protectedDocument, withValue } from '../config/example.ts';

const [step = '', stateDirectory = ''] = process.argv.slice(2);

const journal = new NetworkJournal({ stateDirectory, scope: journalScope() });
const reconciler = new Reconciler({
  links: new LinuxLinks(),
  packetFilter: new LinuxPacketFilter(),
  journal,
  log: () => undefined,
});

let document = withValue(exampleDocument(), 'l2tp.clients.hq.routes', [
  '0.0.0.0/0',
  '10.99.0.0/16',
  '::/0',
  'fd00:99::/48',
]);
document = withValue(document, 'l2tp.clients.hq.ipv6', true);
document = withValue(document, 'interfaces.lan.ipv6', { address: 'fd00:12::1/64' });
document = withValue(document, 'l2tp.clients.hq.masquerade', true);
document = withValue(document, 'interfaces.lan.mtu', 1400);
document = withValue(document, 'routes', [{ prefix: '10.50.0.0/16', gateway: '192.168.12.2', metric: 5 }]);
const configuration = parsed(document);
const tunnel = {
  device: 'l2tp-hq',
  localAddress: '10.98.7.10',
  peerAddress: '10.20.0.2',
  prefixes: ['0.0.0.0/0', '10.99.0.0/16', '::/0', 'fd00:99::/48'],
  ipv6: { addresses: ['fe80::7/64', 'fd00:98:0:7::7/128'], mtu: 1400 },
};

/** The tunnels of IPsec, one of them with IPv6 inside. */
let guarded = withValue(protectedDocument(), 'l2tp.clients.hq.routes', ['10.99.0.0/16', 'fd00:99::/48']);
guarded = withValue(guarded, 'l2tp.clients.hq.ipv6', true);
guarded = withValue(guarded, 'interfaces.wan.ipv6', { address: 'fd00:20::9/64' });

switch (step) {
  case 'reconcile':
  case 'reconcile-up': {
    const tunnels = step === 'reconcile' ? [] : [tunnel];
    const first = await reconciler.reconcile({ configuration, tunnels });
    const second = await reconciler.reconcile({ configuration, tunnels });
    print({ first, second });
    break;
  }
  case 'crash':
    await reconciler.reconcile({ configuration, tunnels: [] });
    process.kill(process.pid, 'SIGKILL');
    break;
  case 'restore':
    print(await reconciler.restore());
    break;
  case 'cycle': {
    const restored = await reconciler.restore();
    const run = await reconciler.reconcile({ configuration, tunnels: [] });
    print({ restored, run, closed: await reconciler.close() });
    break;
  }
  case 'protect':
    print(await reconciler.reconcile({ configuration: parsed(guarded), tunnels: [] }));
    break;
  default:
    throw new Error(`no step ${step}`);
}

function print(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}
