import type { BoardNic } from '../../board/board.ts';
import type { LinkSpeeds } from '../../hal/link-speed.ts';
import type { Link, Links } from '../../hal/links.ts';
import type { InterfaceStatus, RouterStatus } from '../api/router-control.ts';
import type { Configuration } from '../config/schema.ts';
import type { DslInfo } from '../uplink/dsl/dsl-line.ts';
import { dslLineStatus } from './dsl-line-status.ts';

/** Of what has no address of its own: the loopback; tunnels have none at all. */
const NO_MAC = '00:00:00:00:00:00';

export interface PortSurroundings {
  readonly links: Links;
  readonly speeds: LinkSpeeds;
  /** Ports of the board. */
  readonly nics: readonly BoardNic[];
  /** By interface. */
  readonly dsl?: ReadonlyMap<string, DslInfo>;
}

/** The configured interfaces as the kernel has them, and the network devices that can be configured. */
export async function interfaceStatus(
  configuration: Configuration,
  surroundings: PortSurroundings,
): Promise<Pick<RouterStatus, 'interfaces' | 'devices'>> {
  const { links: devices, addresses } = await surroundings.links.linksAndAddresses();
  const interfaces = Object.entries(configuration.interfaces).map(([name, { device, zone }]): InterfaceStatus => {
    const link = devices.find((candidate) => candidate.name === device);
    const own = addresses.filter((entry) => entry.device === device).map((entry) => entry.address);
    const line = surroundings.dsl?.get(name);
    const dsl = line === undefined ? {} : { dsl: dslLineStatus(line) };
    if (!link) {
      return {
        name,
        device,
        zone,
        state: 'failed',
        reason: `there is no network device ${device}`,
        remedy: 'plug it in, or correct the device of this interface',
        addresses: [],
        ...dsl,
      };
    }
    const state = link.up ? 'up' : 'down';
    return { name, device, zone, state, addresses: own, mtu: link.mtu, ...portOf(link, surroundings), ...dsl };
  });
  const own = devices.filter(({ mac }) => mac !== '' && mac !== NO_MAC);
  return {
    interfaces,
    devices: own.map((link) => ({ name: link.name, up: link.up, mac: link.mac, ...portOf(link, surroundings) })),
  };
}

/** What is known of the socket in the case and the cable in it. */
function portOf(
  { name, carrier }: Link,
  { speeds, nics }: PortSurroundings,
): Pick<InterfaceStatus, 'carrier' | 'speedMegabits' | 'fullDuplex' | 'role' | 'label'> {
  const speed = carrier ? speeds.read(name) : undefined;
  const nic = nics.find(({ device }) => device === name);
  return {
    carrier,
    ...(speed === undefined ? {} : { speedMegabits: speed.megabits, fullDuplex: speed.fullDuplex }),
    ...(nic === undefined ? {} : { role: nic.role }),
    ...(nic?.label === undefined ? {} : { label: nic.label }),
  };
}
