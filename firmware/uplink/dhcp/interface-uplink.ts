import type { InterfaceConfiguration } from '../../config/interfaces-schema.ts';
import { DhcpUplink, type DhcpUplinkOptions } from './dhcp-uplink.ts';

/** All that the configuration does not say. */
export type DhcpServices = Omit<DhcpUplinkOptions, 'name' | 'device' | 'parent' | 'clientId' | 'hostName' | 'dns'>;

/**
 * The uplink of an interface with the method "dhcp".
 * @param name of the interface: its last address is kept under it.
 */
export function dhcpUplinkOf(name: string, settings: InterfaceConfiguration, services: DhcpServices): DhcpUplink {
  const { device, vlan, ipv4 } = settings;
  return new DhcpUplink({
    ...services,
    name,
    device,
    ...(vlan === undefined ? {} : { parent: vlan.parent }),
    ...(ipv4?.clientId === undefined ? {} : { clientId: ipv4.clientId }),
    ...(ipv4?.hostname === undefined ? {} : { hostName: ipv4.hostname }),
    dns: ipv4?.dns ?? [],
  });
}
