/** From an entry of the configuration to what the IKE machines take. */
import { type DefaultProposals, IKEV1_DEFAULTS, IKEV2_DEFAULTS } from '../../protocol/ike/default-offers.ts';
import type { IkeConnection, TrafficSelector } from '../../protocol/ike/ike-types.ts';
import { findProfile, profileProposals } from '../../protocol/ike/profiles/profiles.ts';
import { formatIpv4, isIpAddress, lastAddress, networkOf, parseCidr } from '../../protocol/ip-address.ts';
import type { IkeProofs } from './ike-authentication.ts';
import type { IpsecConnectionSettings, WorkingOffer } from './ipsec-types.ts';

const UDP = 17;
const MAX_PORT = 65_535;

/** Every packet of IPv4. */
const EVERYTHING = networkSelector('0.0.0.0/0');

/** Inner UDP ports of what goes through a channel in transport mode. */
export interface InsidePorts {
  readonly local: number;
  readonly remote: number;
}

/** As a caller, for one attempt. */
export function callerConnection(
  settings: IpsecConnectionSettings,
  proofs: IkeProofs,
  attempt: WorkingOffer,
  remoteAddress: string,
  ports: InsidePorts | undefined,
): IkeConnection {
  return {
    ...common(settings, proofs, remoteAddress, attempt.offer),
    ...(ports === undefined ? {} : { transportPorts: { protocol: UDP, ...ports } }),
    forceEncapsulation: attempt.udpEncapsulation,
  };
}

/**
 * For what the peer begins. Ports are left to the caller in transport mode: what a channel carries is checked by the data
 * plane in any case.
 * @param knownAddress where the peer was last called, if its name had to be resolved.
 * @returns undefined while the peer's address is not known.
 */
export function answererConnection(
  settings: IpsecConnectionSettings,
  proofs: IkeProofs,
  knownAddress: string | undefined,
): IkeConnection | undefined {
  const remote = settings.remote === 'any' || isIpAddress(settings.remote) ? settings.remote : knownAddress;
  if (remote === undefined) return undefined;
  return {
    ...common(settings, proofs, remote, 'acceptable'),
    ...(settings.mode === 'transport' ? { transportPorts: { protocol: UDP, local: 0, remote: 0 } } : {}),
    forceEncapsulation: settings.encapsulation === 'always',
  };
}

/** @param list of the default ones; the profile of a peer has the same for either role. */
function common(
  settings: IpsecConnectionSettings,
  proofs: IkeProofs,
  remote: string,
  list: keyof DefaultProposals,
): IkeConnection {
  const { name, version, remoteId, mode, tunnel, login, aggressive } = settings;
  const known = findProfile(settings.profile)?.versions[version];
  const defaults = version === 1 ? IKEV1_DEFAULTS : IKEV2_DEFAULTS;
  const proposals = known === undefined ? defaults[list] : profileProposals(known);
  const ikeLifetime = settings.ikeLifetime ?? known?.ikeLifetime;
  const childLifetime = settings.childLifetime ?? known?.childLifetime;
  const everything = tunnel?.routing === 'route';
  return {
    name,
    version,
    remote,
    ...proofs,
    ...(remoteId === undefined ? {} : { remoteId }),
    ...(login === undefined ? {} : { xauth: login }),
    ...(aggressive === undefined ? {} : { aggressive }),
    mode,
    ...(tunnel === undefined
      ? {}
      : {
          localSelectors: everything ? [EVERYTHING] : tunnel.localSubnets.map(networkSelector),
          remoteSelectors: everything ? [EVERYTHING] : tunnel.remoteSubnets.map(networkSelector),
        }),
    ikeProposals: settings.ikeProposals ?? proposals.ike,
    espProposals: settings.espProposals ?? proposals.esp,
    ...(ikeLifetime === undefined ? {} : { ikeLifetime }),
    ...(childLifetime === undefined ? {} : { childLifetime }),
    dpdSeconds: settings.dpdSeconds,
  };
}

/** Every packet of a network. @throws RangeError when it is none. */
export function networkSelector(cidr: string): TrafficSelector {
  const prefix = parseCidr(cidr);
  if (prefix === undefined) throw new RangeError(`${cidr} is no IPv4 network`);
  return {
    protocol: 0,
    firstPort: 0,
    lastPort: MAX_PORT,
    firstAddress: formatIpv4(networkOf(prefix).address),
    lastAddress: formatIpv4(lastAddress(prefix)),
  };
}
