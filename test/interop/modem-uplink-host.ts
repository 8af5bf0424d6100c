/**
 * An uplink by a modem on a real machine, for `modem-uplink.test.ts` to run in a network namespace: the driver, PPP, the data plane and its
 * TUN are the router's; the modem is the simulated one on pseudo-terminals, our PPP its server. It is told what happens over IPC.
 */
import { UserspaceDataPlane } from '../../firmware/dataplane/userspace/userspace-data-plane.ts';
import { CellularModem } from '../../firmware/uplink/modem/cellular-modem.ts';
import { PppUplink } from '../../firmware/uplink/ppp/ppp-uplink.ts';
import type { LinkView } from '../../firmware/uplink/uplink-types.ts';
import { DataPlaneDispatch } from '../../firmware/vpn/data-plane-dispatch.ts';
import { LinuxClock } from '../../hal/linux/clock.ts';
import { LinuxEntropy } from '../../hal/linux/entropy.ts';
import { LinuxLinks } from '../../hal/linux/links.ts';
import { LinuxSerialPorts } from '../../hal/linux/serial-port.ts';
import { SimulatedUsbDevices } from '../../hal/simulated/usb-devices.ts';
import type { ModemTraits } from '../../scripts/lab/modem/modem-traits.ts';
import { pppServer } from '../../scripts/lab/modem/ppp-server.ts';
import { SimulatedModem } from '../../scripts/lab/modem/simulated-modem.ts';
import { Pty } from '../../scripts/lab/pty.ts';

export type ModemHostCommand =
  | { readonly kind: 'start'; readonly device: string; readonly lines: readonly number[] }
  | { readonly kind: 'traits'; readonly traits: Partial<ModemTraits> }
  /** The network ends the call; the module begins anew; it is pulled out, and put in again. */
  | { readonly kind: 'drop' | 'restart' | 'unplug' | 'plug' | 'stop' };

export type ModemHostReport =
  | { readonly kind: 'view'; readonly view: LinkView; readonly modem: string }
  | { readonly kind: 'log'; readonly line: string }
  | { readonly kind: 'ready' | 'stopped' };

const DEVICE = { id: '2c7c:0125', location: '1-1.2' };

const report = (message: ModemHostReport): void => void process.send?.(message);
const fail = (reason: string): never => {
  throw new Error(reason);
};
const clock = new LinuxClock();
const random = new LinuxEntropy();
const links = new LinuxLinks();
const dataPlane = new UserspaceDataPlane({ links });
const dispatch = new DataPlaneDispatch(dataPlane, fail);
const usb = new SimulatedUsbDevices();
const simulated = new SimulatedModem(
  clock,
  pppServer({
    clock,
    random,
    assignment: { localAddress: '100.64.7.1', peerAddress: '100.64.7.2', dns: ['9.9.9.9'] },
    authenticator: { name: 'carrier', methods: ['chap'], password: (user) => (user === 'lte' ? 'lte-pw' : undefined) },
  }),
);
const modem = new CellularModem(
  'lte',
  { baud: 115_200, roaming: false, data: 'auto', apn: 'internet', user: 'lte', password: 'lte-pw' },
  {
    ports: new LinuxSerialPorts(),
    usb,
    clock,
    random,
    stateDirectory: process.argv[2] ?? '',
    log: (line) => report({ kind: 'log', line }),
  },
);
let uplink: PppUplink | undefined;
const ptys: Pty[] = [];
let lines: readonly number[] = [];

function plug(): void {
  const interfaces = lines.map((number) => {
    const pty = new Pty();
    ptys.push(pty);
    const port = simulated.port((octets) => pty.send(octets));
    pty.onOctets = (octets) => port.octets(octets);
    return [number, { tty: pty.path }] as const;
  });
  usb.plug(DEVICE, Object.fromEntries(interfaces));
}

function unplug(): void {
  usb.unplug(DEVICE.location);
  simulated.unplug();
  for (const pty of ptys.splice(0)) pty.close();
}

function tell(): void {
  if (uplink !== undefined) report({ kind: 'view', view: uplink.view(), modem: modem.status().doing });
}

function begin(device: string): void {
  plug();
  const onStep = ({ step, detail = '' }: { step: string; detail?: string }) =>
    report({ kind: 'log', line: `${step} ${detail}` });
  uplink = new PppUplink(
    device,
    modem,
    { authenticatee: modem.credentials() },
    { clock, random, dispatch, links, onStep },
  );
  uplink.onChange = tell;
  modem.onChange = tell;
  modem.start();
  uplink.start();
}

async function obey(command: ModemHostCommand): Promise<void> {
  switch (command.kind) {
    case 'start':
      lines = command.lines;
      begin(command.device);
      return;
    case 'traits':
      Object.assign(simulated.state.traits, command.traits);
      return;
    case 'drop':
      simulated.dropCarrier();
      return;
    case 'restart':
      simulated.restart();
      return;
    case 'unplug':
      unplug();
      return;
    case 'plug':
      plug();
      return;
    case 'stop':
      await uplink?.stop();
      await modem.stop();
      unplug();
      await dataPlane.close();
      report({ kind: 'stopped' });
      process.disconnect();
  }
}

await dataPlane.start();
process.on('message', (command) => void obey(command as ModemHostCommand));
report({ kind: 'ready' });
