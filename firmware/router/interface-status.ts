import type { Links } from '../../hal/links.ts';
import type { InterfaceStatus } from '../api/router-control.ts';
import type { Configuration } from '../config/schema.ts';

/** The configured interfaces as the kernel has them. */
export async function interfaceStatus(configuration: Configuration, links: Links): Promise<InterfaceStatus[]> {
  const { links: devices, addresses } = await links.linksAndAddresses();
  return Object.entries(configuration.interfaces).map(([name, { device, zone }]): InterfaceStatus => {
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
}
