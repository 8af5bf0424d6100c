/** From what ping and traceroute are asked to where their packets go, and by which way. */
import type { Links } from '../../hal/links.ts';
import type { CommandResult } from '../api/router-control.ts';
import { type Configuration, ownEntry } from '../config/schema.ts';
import { type ReachRequest, VIA_TUNNEL, VIA_UPLINK } from '../diagnosis/reach/reach-event.ts';
import type { Failure } from '../protocol/machine.ts';
import { captureTarget } from './capture-target.ts';

export interface ReachTarget {
  readonly address: string;
  readonly family: 4 | 6;
  /** SO_MARK. */
  readonly mark: number;
  /** By which the packets leave; absent: the routes decide. */
  readonly device?: string;
}

export type ReachTargetResult =
  | { readonly ok: true; readonly target: ReachTarget }
  | (CommandResult & { readonly ok: false });

export interface ReachSurroundings {
  readonly configuration: Configuration;
  readonly links: Pick<Links, 'links' | 'addresses' | 'sourceAddress'>;
  /** SO_MARK of what goes past the tunnels. */
  readonly mark: number;
  readonly resolve: (host: string) => Promise<readonly string[] | Failure>;
}

/** A name that has addresses of both families goes by the first one that the resolver gives. */
export async function reachTarget(
  { host, via }: ReachRequest,
  surroundings: ReachSurroundings,
): Promise<ReachTargetResult> {
  const way = await wayOf(via, surroundings);
  if (!way.ok) return way;
  const found = await surroundings.resolve(host);
  if (!isAddresses(found)) return { ok: false, step: found.step, reason: found.reason, remedy: found.remedy };
  const [address] = found;
  if (address === undefined)
    return { ok: false, reason: `${host} has no address`, remedy: 'correct the name, or give the address' };
  const { mark, device } = way;
  const family = address.includes(':') ? 6 : 4;
  return { ok: true, target: { address, family, mark, ...(device !== undefined && { device }) } };
}

type Way =
  | { readonly ok: true; readonly mark: number; readonly device?: string }
  | (CommandResult & { readonly ok: false });

/**
 * Into a tunnel nothing goes that has the mark of outer packets. What is to leave by an interface has it, for else the routes
 * of tunnels would be asked first, and say no.
 */
async function wayOf(via: string, surroundings: ReachSurroundings): Promise<Way> {
  const { configuration, mark } = surroundings;
  if (via === VIA_TUNNEL) return { ok: true, mark: 0 };
  if (via === VIA_UPLINK) return { ok: true, mark };
  const place = await captureTarget(via, false, surroundings);
  if (!place.ok) {
    const { remedy = '', reason, notFound } = place;
    // It speaks of captures: what has no inside for them has none for a ping.
    const words = remedy.replace(/, or capture .*$/, '').replace(/^capture /, 'name ');
    if (notFound === undefined) return { ok: false, reason, ...(words !== '' && { remedy: words }) };
    const names = [VIA_TUNNEL, VIA_UPLINK, ...notFound];
    return { ok: false, reason, remedy: `name one of ${names.join(', ')}`, notFound: names };
  }
  const device = place.target.places[0]?.device ?? via;
  return { ok: true, mark: isTunnel(configuration, via, device) ? 0 : mark, device };
}

function isTunnel({ interfaces, l2tp, ipsec }: Configuration, via: string, device: string): boolean {
  if (Object.values(interfaces).some((entry) => entry.device === device)) return false;
  const named = ownEntry(l2tp.clients, via) ?? ownEntry(l2tp.servers, via) ?? ownEntry(ipsec.connections, via);
  return named !== undefined || /^(l2tp|ipsec)-/.test(device);
}

function isAddresses(found: readonly string[] | Failure): found is readonly string[] {
  return Array.isArray(found);
}
