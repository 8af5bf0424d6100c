/** The worlds of the contracts, in memory. */
import type { Duplex } from 'node:stream';
import { SimulatedCarrierSenseFactory } from '../../../hal/simulated/carrier-sense.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import { SimulatedEntropy } from '../../../hal/simulated/entropy.ts';
import { SimulatedHandles } from '../../../hal/simulated/handles.ts';
import { SimulatedLinks } from '../../../hal/simulated/links.ts';
import { SimulatedNetwork } from '../../../hal/simulated/network.ts';
import { SimulatedNetworkEvents } from '../../../hal/simulated/network-events.ts';
import { SimulatedPacketCaptureFactory } from '../../../hal/simulated/packet-capture.ts';
import { SimulatedPacketFilter } from '../../../hal/simulated/packet-filter.ts';
import { SimulatedPollerFactory } from '../../../hal/simulated/poller.ts';
import { SimulatedSerialPorts } from '../../../hal/simulated/serial-port.ts';
import { SimulatedTcpConnector } from '../../../hal/simulated/tcp-connector.ts';
import { SimulatedTunFactory } from '../../../hal/simulated/tun.ts';
import type { CarrierSenseWorld } from './carrier-sense.ts';
import type { ClockWorld } from './clock.ts';
import type { OpenWorld } from './contract.ts';
import { decodeIpv4Udp, encodeIpv4Udp } from './datagram.ts';
import type { LinksWorld } from './links.ts';
import type { NetworkEventsWorld } from './network-events.ts';
import { frameOf, type PacketCaptureWorld, packetOf } from './packet-capture.ts';
import type { PacketFilterWorld } from './packet-filter.ts';
import type { PollerWorld } from './poller.ts';
import type { SerialWorld } from './serial-port.ts';
import type { TcpWorld } from './tcp-connector.ts';
import { KERNEL_ADDRESS, KERNEL_PORT, type TunWorld } from './tun.ts';
import { NARROW_MTU, type UdpWorld } from './udp-socket.ts';

const nothing = (): void => undefined;

export function simulatedUdpWorld(): OpenWorld<UdpWorld> {
  const handles = new SimulatedHandles();
  const addresses = { 4: ['10.55.0.1', '10.55.0.2'], 6: ['fd55::1', 'fd55::2'] } as const;
  const network = new SimulatedNetwork(handles);
  const sockets = network.udpSockets([...addresses[4], ...addresses[6]]);
  const narrow = { 4: '10.56.0.9', 6: 'fd56::9' } as const;
  for (const family of [4, 6] as const) network.knownPathMtus.set(narrow[family], NARROW_MTU);
  return {
    world: {
      sockets,
      pollers: new SimulatedPollerFactory(handles),
      addresses,
      narrow,
      open: (options) =>
        sockets.open({ address: options.family === 4 ? '0.0.0.0' : '::', port: 0, mark: 0, ...options }),
    },
    close: nothing,
  };
}

export function simulatedTcpWorld(): OpenWorld<TcpWorld> {
  const connector = new SimulatedTcpConnector();
  const addresses = { 4: '10.55.0.1', 6: 'fd55::1' } as const;
  const listen = async (address: string, onConnection: (stream: Duplex) => void): Promise<number> => {
    connector.listen(address, 4_000, onConnection);
    return 4_000;
  };
  return { world: { connector, addresses, listen }, close: nothing };
}

export function simulatedSerialWorld(): OpenWorld<SerialWorld> {
  const ports = new SimulatedSerialPorts();
  const far = ports.plug('/dev/ttyS0');
  return { world: { ports, path: '/dev/ttyS0', far, absent: '/dev/ttyS1', pull: () => far.pull() }, close: nothing };
}

export function simulatedTunWorld(): OpenWorld<TunWorld> {
  const handles = new SimulatedHandles();
  const links = new SimulatedLinks();
  const tuns = new SimulatedTunFactory(handles, links);
  const [local = ''] = KERNEL_ADDRESS.split('/');
  return {
    world: {
      open: (name) => tuns.open(name),
      pollers: new SimulatedPollerFactory(handles),
      links,
      kernelSends: (device, payload) => {
        const datagram = { source: local, sourcePort: KERNEL_PORT, destination: '10.66.0.2', destinationPort: 4000 };
        tuns.device(device)?.inject(encodeIpv4Udp({ ...datagram, payload }));
      },
      kernelReceived: (device) => {
        const last = tuns.device(device)?.taken().at(-1);
        return last && decodeIpv4Udp(last)?.payload;
      },
    },
    close: nothing,
  };
}

export function simulatedPollerWorld(): OpenWorld<PollerWorld> {
  const handles = new SimulatedHandles();
  const pollers = new SimulatedPollerFactory(handles);
  return {
    world: {
      open: () => pollers.open(),
      source: () => {
        let full = false;
        const handle = handles.register(() => full);
        const set = (value: boolean) => (): void => {
          full = value;
        };
        return { handle, fill: set(true), drain: set(false) };
      },
      sink: () => {
        let full = false;
        const handle = handles.register(
          () => false,
          () => !full,
        );
        const set = (value: boolean) => (): void => {
          full = value;
        };
        return { handle, stuff: set(true), empty: set(false) };
      },
      wake: pollers.wake,
    },
    close: nothing,
  };
}

export function simulatedClockWorld(): OpenWorld<ClockWorld> {
  const clock = new SimulatedClock(5000);
  return { world: { clock, pass: async (milliseconds) => clock.advance(milliseconds) }, close: nothing };
}

export function simulatedEntropyWorld(): OpenWorld<SimulatedEntropy> {
  return { world: new SimulatedEntropy(20_260_101), close: nothing };
}

export function simulatedLinksWorld(): OpenWorld<LinksWorld> {
  const links = new SimulatedLinks();
  links.addLink({ name: 'cveth0', up: true, mac: '02:00:00:00:00:01' });
  return { world: { links, device: 'cveth0', plug: (plugged) => links.plug('cveth0', plugged) }, close: nothing };
}

export function simulatedCarrierSenseWorld(): OpenWorld<CarrierSenseWorld> {
  const links = new SimulatedLinks();
  links.addLink({ name: 'cveth0', up: true });
  const plug = (plugged: boolean): void => links.plug('cveth0', plugged);
  const carriers = new SimulatedCarrierSenseFactory(links);
  return { world: { links, device: 'cveth0', plug, carriers }, close: nothing };
}

export function simulatedPacketFilterWorld(): OpenWorld<PacketFilterWorld> {
  const filter = new SimulatedPacketFilter();
  return { world: { filter, table: async (name) => filter.table(name) }, close: nothing };
}

export function simulatedNetworkEventsWorld(): OpenWorld<NetworkEventsWorld> {
  const links = new SimulatedLinks();
  links.addLink({ name: 'cveth0', up: true, mac: '02:00:00:00:00:01' });
  const filter = new SimulatedPacketFilter();
  const events = new SimulatedNetworkEvents([links, filter]);
  return { world: { events, links, device: 'cveth0', filter, table: 'cvfilter' }, close: nothing };
}

export function simulatedPacketCaptureWorld(): OpenWorld<PacketCaptureWorld> {
  const captures = new SimulatedPacketCaptureFactory();
  captures.addDevice('cvcab0', 'ethernet');
  captures.addDevice('cvtun0', 'ip');
  let time = 1_700_000_000_000_000_000n;
  captures.time = () => (time += 1n);
  return {
    world: {
      ethernet: 'cvcab0',
      tun: 'cvtun0',
      open: (device) => captures.open(device),
      passes: (device, direction, payload) => {
        const bytes = device === 'cvcab0' ? frameOf(direction, payload) : packetOf(direction, payload);
        captures.pass(device, bytes, direction);
      },
      removeTun: () => captures.removeDevice('cvtun0'),
    },
    close: nothing,
  };
}
