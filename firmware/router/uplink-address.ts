/** From which address of this router its VPNs go out: that decides by which uplink they do. */
import type { Links } from '../../hal/links.ts';
import { type Configuration, ownEntry } from '../config/schema.ts';
import type { UplinkConfiguration } from '../config/uplinks-schema.ts';
import { hasUplinks } from '../network/uplink-routing.ts';
import type { Failure } from '../protocol/machine.ts';
import type { UplinkManager } from '../uplink/uplink-manager.ts';

export interface AddressSurroundings {
  readonly links: Pick<Links, 'sourceAddress'>;
  readonly uplinks: UplinkManager;
  /** SO_MARK of outer packets. */
  readonly mark: number;
  readonly configuration: Configuration;
}

/** Largest packet of a PPPoE session without RFC 4638 (RFC 2516 section 7), octets. */
const PPPOE_MTU = 1492;
const ETHERNET_MTU = 1500;

/**
 * For an L2TP client in clear. `undefined`: from any. Where there are several uplinks it keeps to one address, for its server
 * knows it by that.
 */
export async function clientAddress(
  remote: string,
  uplink: string | undefined,
  { links, uplinks, mark, configuration }: AddressSurroundings,
): Promise<string | Failure | undefined> {
  if (uplink !== undefined && !remote.includes(':')) return uplinks.uplinks.get(uplink)?.address ?? notThere(uplink);
  return hasUplinks(configuration) ? await links.sourceAddress(remote, mark) : undefined;
}

/** For an IPsec connection; `undefined`: there is no way to the peer. */
export async function connectionAddress(
  remote: string,
  connection: string,
  { links, uplinks, mark, configuration }: AddressSurroundings,
): Promise<string | undefined> {
  const uplink = ownEntry(configuration.ipsec.connections, connection)?.uplink;
  if (uplink !== undefined && !remote.includes(':')) return uplinks.uplinks.get(uplink)?.address;
  return await links.sourceAddress(remote, mark);
}

/** Octets of the largest packet that it may carry, as far as the configuration tells. */
export function uplinkMtu({ type, mtu }: UplinkConfiguration): number {
  return mtu ?? (type === 'pppoe' ? PPPOE_MTU : ETHERNET_MTU);
}

function notThere(uplink: string): Failure {
  return {
    step: 'uplink',
    reason: `the uplink ${uplink}, to which this connection sticks, has no address`,
    remedy: 'it is dialled when the uplink stands; take its "uplink" away to let it go by any',
  };
}
