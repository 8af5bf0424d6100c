import type { BoardDescription } from '../../board/board.ts';
import { EMPTY_CONFIGURATION } from '../config/empty.ts';
import type { Configuration } from '../config/schema.ts';

/** What a board has while nothing was committed, and when nothing that was committed can be read: its LAN, and no more. */
export function factoryConfiguration({ factoryLan }: BoardDescription): Configuration {
  if (factoryLan === undefined) return EMPTY_CONFIGURATION;
  const { device, address } = factoryLan;
  const lan = { device, zone: 'lan', ipv4: { method: 'static', address, dns: [] } } as const;
  return { ...EMPTY_CONFIGURATION, interfaces: { lan: { ...lan, ipv4: { ...lan.ipv4, dns: [] } } } };
}
