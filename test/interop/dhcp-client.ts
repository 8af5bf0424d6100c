/**
 * An uplink by DHCP on this machine's own devices: `node dhcp-client.ts DEVICE STATE-DIRECTORY`. It puts the leased address on the
 * device, says what it sees as JSON lines, and gives the lease back when its input says `stop`; `crash` ends it at once.
 */
import { createInterface } from 'node:readline';
import { DhcpUplink } from '../../firmware/uplink/dhcp/dhcp-uplink.ts';
import { LinuxCarrierSenseFactory } from '../../hal/linux/carrier-sense.ts';
import { LinuxClock } from '../../hal/linux/clock.ts';
import { LinuxEntropy } from '../../hal/linux/entropy.ts';
import { LinuxLinks } from '../../hal/linux/links.ts';
import { LinuxPacketSockets } from '../../hal/linux/packet-socket.ts';

const [device = '', stateDirectory = ''] = process.argv.slice(2);
const links = new LinuxLinks();
let assigned: string | undefined;

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const uplink = new DhcpUplink({
  name: 'wan',
  device,
  hostName: 'branch',
  carriers: new LinuxCarrierSenseFactory(),
  sockets: new LinuxPacketSockets(),
  clock: new LinuxClock(),
  entropy: new LinuxEntropy(),
  stateDirectory,
  judge: () => undefined,
  log: (line) => say({ log: line }),
});

uplink.onChange = () => {
  const view = uplink.view();
  say({ view });
  const address = view.addressing?.address;
  if (address === assigned) return;
  if (assigned !== undefined) void links.removeAddress(device, assigned).catch(() => undefined);
  if (address !== undefined) void links.addAddress(device, address).catch(() => undefined);
  assigned = address;
};

uplink.start();
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'crash') process.exit(0);
  void uplink.stop().then(() => {
    say({ stopped: true });
    process.exit(0);
  });
});
