import type { Links } from '../../hal/links.ts';
import type { InterfaceStatus, RouterStatus } from '../api/router-control.ts';
import type { Configuration } from '../config/schema.ts';

/** Of what has no address of its own: the loopback; tunnels have none at all. */
const NO_MAC = '00:00:00:00:00:00';

/** The configured interfaces as the kernel has them, and the network devices that can be configured. */
export async function interfaceStatus(
  configuration: Configuration,
  links: Links,
): Promise<Pick<RouterStatus, 'interfaces' | 'devices'>> {
  const { links: devices, addresses } = await links.linksAndAddresses();
  const interfaces = Object.entries(configuration.interfaces).map(([name, { device, zone }]): InterfaceStatus => {
    const link = devices.find((candidate) => candidate.name === device);
    const own = addresses.filter((entry) => entry.device === device).map((entry) => entry.address);
    if (!link) {
      return {
        name,
        device,
        zone,
        state: 'failed',
        reason: `there is no network device ${device}`,
        remedy: 'plug it in, or correct the device of this interface',
        addresses: [],
      };
    }
    return { name, device, zone, state: link.up ? 'up' : 'down', addresses: own, mtu: link.mtu };
  });
  const own = devices.filter(({ mac }) => mac !== '' && mac !== NO_MAC);
  return { interfaces, devices: own.map(({ name, up, mac }) => ({ name, up, mac })) };
}
