/** What each kind of uplink is made of. */
import { StaticUplink } from './static-uplink.ts';
import type { UplinkDefinition } from './uplink-definitions.ts';
import type { UplinkLink } from './uplink-types.ts';

/** @throws RangeError for a kind that this program cannot make. */
export function linkOf({ name, interface: parent }: UplinkDefinition): UplinkLink {
  const { address, gateway, dns = [] } = parent?.ipv4 ?? {};
  if (parent === undefined || address === undefined || gateway === undefined) {
    throw new RangeError(`uplink ${name} is of a kind that cannot be made`);
  }
  return new StaticUplink({ device: parent.device, address, gateway, dns });
}
