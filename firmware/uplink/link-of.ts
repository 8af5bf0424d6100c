/** What each kind of uplink is made of. */
import type { CarrierSenseFactory } from '../../hal/carrier-sense.ts';
import type { Clock } from '../../hal/clock.ts';
import type { Entropy } from '../../hal/entropy.ts';
import type { Links } from '../../hal/links.ts';
import type { MachineCounters } from '../../hal/machine-counters.ts';
import type { PacketSockets } from '../../hal/packet-socket.ts';
import type { SerialPorts } from '../../hal/serial-port.ts';
import type { UsbDevices } from '../../hal/usb-devices.ts';
import type { Lease } from '../protocol/dhcp/lease.ts';
import type { Failure, RandomSource } from '../protocol/machine.ts';
import type { DataPlaneDispatch } from '../vpn/data-plane-dispatch.ts';
import type { Step } from '../vpn/steps.ts';
import { DhcpUplink } from './dhcp/dhcp-uplink.ts';
import { CellularModem } from './modem/cellular-modem.ts';
import { ModemUplink } from './modem/modem-uplink.ts';
import { PppUplink } from './ppp/ppp-uplink.ts';
import { PppoeLine } from './ppp/pppoe-line.ts';
import type { SessionMemory } from './ppp/pppoe-memory.ts';
import { StaticUplink } from './static-uplink.ts';
import type { UplinkDefinition } from './uplink-definitions.ts';
import type { UplinkLink } from './uplink-types.ts';

export interface LinkServices {
  readonly clock: Clock;
  readonly random: RandomSource & Entropy;
  readonly dispatch: DataPlaneDispatch;
  readonly links: Pick<Links, 'addAddress'>;
  readonly carriers: CarrierSenseFactory;
  readonly counters: Pick<MachineCounters, 'links'>;
  readonly sockets: PacketSockets;
  readonly ports: SerialPorts;
  readonly usb: UsbDevices;
  readonly pppoeMemory: SessionMemory;
  readonly stateDirectory: string;
  /** Takes the modem's power away for a moment, where the board can do that. */
  readonly powerCycle?: () => Promise<void>;
  /** Whether a lease fits what is here already. @returns why not; `undefined`: it does. */
  readonly judgeLease: (device: string, lease: Lease) => Failure | undefined;
  readonly log: (line: string) => void;
  readonly onStep: (uplink: string, step: Step) => void;
}

/** @throws RangeError where the definition lacks what the rules of the configuration ask for. */
export function linkOf(definition: UplinkDefinition, services: LinkServices): UplinkLink {
  switch (definition.configuration.type) {
    case 'ethernet':
      return ethernetLink(definition, services);
    case 'pppoe':
      return pppoeLink(definition, services);
    case 'modem':
      return modemLink(definition, services);
  }
}

function ethernetLink(
  { name, interface: parent, configuration }: UplinkDefinition,
  services: LinkServices,
): UplinkLink {
  const { method, address, gateway, dns = [] } = parent?.ipv4 ?? {};
  if (parent !== undefined && method === 'dhcp') {
    const { clientId, hostname: hostName } = parent.ipv4 ?? {};
    return new DhcpUplink({
      ...dhcpServices(parent.device, services),
      name: configuration.interface ?? name,
      device: parent.device,
      dns,
      ...(parent.vlan === undefined ? {} : { parent: parent.vlan.parent }),
      ...(clientId === undefined ? {} : { clientId }),
      ...(hostName === undefined ? {} : { hostName }),
    });
  }
  if (parent === undefined || address === undefined || gateway === undefined) throw incomplete(name);
  return new StaticUplink({ device: parent.device, address, gateway, dns });
}

function dhcpServices(
  device: string,
  { clock, random, sockets, carriers, stateDirectory, judgeLease, log }: LinkServices,
) {
  const judge = (lease: Lease): Failure | undefined => judgeLease(device, lease);
  return { clock, entropy: random, sockets, carriers, stateDirectory, judge, log };
}

function pppoeLink(
  { name, interface: parent, pppDevice, configuration }: UplinkDefinition,
  services: LinkServices,
): UplinkLink {
  const { user, password, serviceName, accessConcentrator, mtu } = configuration;
  if (parent === undefined || pppDevice === undefined || user === undefined || password === undefined)
    throw incomplete(name);
  const onStep = (step: Step): void => services.onStep(name, step);
  const line = new PppoeLine(
    {
      name,
      device: parent.device,
      ...(serviceName === undefined ? {} : { serviceName }),
      ...(accessConcentrator === undefined ? {} : { accessConcentrator }),
      ...(mtu === undefined ? {} : { mtu }),
    },
    { ...services, memory: services.pppoeMemory, onStep },
  );
  const options = { authenticatee: { user, password }, ...(mtu === undefined ? {} : { mtu }) };
  return new PppUplink(pppDevice, line, options, { ...services, onStep });
}

function modemLink(
  { name, modem: settings, pppDevice, configuration }: UplinkDefinition,
  services: LinkServices,
): UplinkLink {
  if (settings === undefined || pppDevice === undefined) throw incomplete(name);
  const { mtu } = configuration;
  const modem = new CellularModem(configuration.modem ?? name, settings, services);
  const options = {
    get authenticatee() {
      return modem.credentials();
    },
    ...(mtu === undefined ? {} : { mtu }),
  };
  const onStep = (step: Step): void => services.onStep(name, step);
  return new ModemUplink(modem, {
    ...services,
    ppp: (meter) => new PppUplink(pppDevice, modem, options, { ...services, onStep, meter }),
    dhcp: (device) => new DhcpUplink({ ...dhcpServices(device, services), name: `modem-${name}`, device }),
  });
}

function incomplete(name: string): RangeError {
  return new RangeError(`uplink ${name} lacks what its type needs`);
}
