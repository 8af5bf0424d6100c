/** From an entry of the configuration to what the IKE machines take. */
import { utf8Bytes } from '../../protocol/bytes.ts';
import type { AddressLeases } from '../../protocol/ike/authentication.ts';
import {
  AH_DEFAULTS,
  type DefaultProposals,
  IKEV1_DEFAULTS,
  IKEV2_DEFAULTS,
} from '../../protocol/ike/default-offers.ts';
import type { IkeConnection, TrafficSelector } from '../../protocol/ike/ike-types.ts';
import { findProfile, profileProposals } from '../../protocol/ike/profiles/profiles.ts';
import { formatIpv4, isIpAddress, lastAddress, networkOf, parseCidr } from '../../protocol/ip-address.ts';
import { directoryOf, type IkeProofs } from './ike-authentication.ts';
import type { IpsecConnectionSettings, WorkingOffer } from './ipsec-types.ts';

const UDP = 17;
const MAX_PORT = 65_535;

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
    forceEncapsulation: attempt.udpEncapsulation && settings.protocol !== 'ah',
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
  leases?: AddressLeases,
): IkeConnection | undefined {
  // Who has no address before the peer has given one has nothing to be called for.
  if (settings.tunnel?.virtualAddress) return undefined;
  const remote = settings.remote === 'any' || isIpAddress(settings.remote) ? settings.remote : knownAddress;
  if (remote === undefined) return undefined;
  return {
    ...common(settings, proofs, remote, 'acceptable'),
    ...(leases === undefined ? {} : { leases }),
    ...(settings.logins === undefined ? {} : { xauthUsers: directoryOf(settings.logins) }),
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
          ...(tunnel.virtualAddress
            ? { requestAddress: true }
            : selectors('localSelectors', everything ? ['0.0.0.0/0'] : tunnel.localSubnets)),
          ...selectors('remoteSelectors', everything ? ['0.0.0.0/0'] : tunnel.remoteSubnets),
        }),
    ikeProposals: settings.ikeProposals ?? proposals.ike,
    espProposals: settings.espProposals ?? (settings.protocol === 'ah' ? AH_DEFAULTS[version] : proposals.esp),
    ...(ikeLifetime === undefined ? {} : { ikeLifetime }),
    ...(childLifetime === undefined ? {} : { childLifetime }),
    ...(settings.ppk === undefined ? {} : { ppk: { ...settings.ppk, key: utf8Bytes(settings.ppk.key) } }),
    ...(settings.reauthSeconds === undefined ? {} : { reauthSeconds: settings.reauthSeconds }),
    dpdSeconds: settings.dpdSeconds,
  };
}

/** None where the other side says what it is. */
function selectors<Key extends string>(
  key: Key,
  subnets: readonly string[],
): { [K in Key]?: readonly TrafficSelector[] } {
  const found: { [K in Key]?: readonly TrafficSelector[] } = {};
  if (subnets.length > 0) found[key] = subnets.map(networkSelector);
  return found;
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
