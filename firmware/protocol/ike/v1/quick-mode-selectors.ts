/** Which packets a child SA is for: from the IDs of Quick Mode (RFC 2409 section 5.5, RFC 3193, RFC 3947). */
import { hex } from '../../bytes.ts';
import type { Failure } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import { addressOctets } from '../address-octets.ts';
import type { IkeConnection, TrafficSelector } from '../ike-types.ts';
import { addressNotRequested } from '../lease-failures.ts';
import { selectorsRefused, selectorText } from './failures.ts';
import { type IdPayload, idOfSelector, selectorOfId } from './id-payload.ts';
import type { NatSituationV1 } from './natd.ts';

/** IDci and IDcr, seen from this side. */
export interface ClientIds {
  readonly local: IdPayload;
  readonly remote: IdPayload;
}

export interface ChildSelectors {
  readonly local: TrafficSelector;
  readonly remote: TrafficSelector;
}

const MAX_PORT = 65535;

const ANY_IPV4 = {
  protocol: 0,
  firstPort: 0,
  lastPort: MAX_PORT,
  firstAddress: '0.0.0.0',
  lastAddress: '255.255.255.255',
} as const satisfies TrafficSelector;

const ANY_IPV6 = {
  ...ANY_IPV4,
  firstAddress: '::',
  lastAddress: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
} as const satisfies TrafficSelector;

/** One address, one port or (0) all of them. */
export function hostSelector(address: string, protocol: number, port: number): TrafficSelector {
  return {
    protocol,
    firstPort: port,
    lastPort: port === 0 ? MAX_PORT : port,
    firstAddress: address,
    lastAddress: address,
  };
}

/**
 * The pairs that an initiator negotiates: IKEv1 has one pair for each child SA.
 * @throws EncodeError when a selector cannot be said in IKEv1.
 */
export function wantedIds(connection: IkeConnection, path: UdpPath): readonly ClientIds[] {
  if (connection.mode === 'transport') {
    const ports = connection.transportPorts ?? { protocol: 0, local: 0, remote: 0 };
    const local = idOfSelector(hostSelector(path.local.address, ports.protocol, ports.local));
    return [{ local, remote: idOfSelector(hostSelector(path.remote.address, ports.protocol, ports.remote)) }];
  }
  const any = path.remote.address.includes(':') ? [ANY_IPV6] : [ANY_IPV4];
  const locals = connection.localSelectors ?? any;
  const remotes = connection.remoteSelectors ?? any;
  return locals.flatMap((local) =>
    remotes
      .filter((remote) => isIpv6(remote) === isIpv6(local))
      .map((remote) => ({ local: idOfSelector(local), remote: idOfSelector(remote) })),
  );
}

/**
 * What the child SA of these IDs carries. Without IDs it is the two ends of the exchange (RFC 2409 section 5.5). In
 * transport mode an address that a NAT has changed counts as the one that is seen here.
 * @returns a Failure when the configuration does not allow it.
 * @throws DecodeError when an ID is malformed.
 */
export function selectorsFor(
  connection: IkeConnection,
  ids: ClientIds | undefined,
  path: UdpPath,
  nat: NatSituationV1,
): ChildSelectors | Failure {
  if (connection.mode === 'transport') return transportSelectors(connection, ids, path, nat);
  // Who has an address of the pool is narrowed to that.
  if (connection.leases !== undefined && connection.remoteSelectors === undefined) {
    return addressNotRequested('Mode-Config');
  }
  const local = sideOf(ids?.local, path.local.address);
  const remote = sideOf(ids?.remote, path.remote.address);
  const locals = connection.localSelectors ?? [ANY_IPV4, ANY_IPV6];
  const remotes = connection.remoteSelectors ?? [ANY_IPV4, ANY_IPV6];
  const allowed =
    local !== undefined &&
    remote !== undefined &&
    locals.some((selector) => containsSelector(selector, local)) &&
    remotes.some((selector) => containsSelector(selector, remote));
  return allowed ? { local, remote } : selectorsRefused(locals, remotes, asked(local, remote));
}

function transportSelectors(
  connection: IkeConnection,
  ids: ClientIds | undefined,
  path: UdpPath,
  nat: NatSituationV1,
): ChildSelectors | Failure {
  const ports = connection.transportPorts ?? { protocol: 0, local: 0, remote: 0 };
  const ownLocal = hostSelector(path.local.address, ports.protocol, ports.local);
  const ownRemote = hostSelector(path.remote.address, ports.protocol, ports.remote);
  if (ids === undefined) return { local: ownLocal, remote: ownRemote };
  const local = narrowed(ownLocal, ids.local, nat.local);
  const remote = narrowed(ownRemote, ids.remote, nat.remote);
  if (local === undefined || remote === undefined || local.protocol !== remote.protocol) {
    const seen = asked(selectorOfId(ids.local), selectorOfId(ids.remote));
    return selectorsRefused([ownLocal], [ownRemote], seen);
  }
  return { local, remote };
}

/**
 * Our end and the ID's, whichever says more; `undefined` when they contradict each other. Some clients leave the port
 * open where a server has one, and others (macOS) name a port of their own.
 */
function narrowed(own: TrafficSelector, id: IdPayload, behindNat: boolean): TrafficSelector | undefined {
  const asked = selectorOfId(id);
  const sameAddress =
    asked !== undefined && asked.firstAddress === own.firstAddress && asked.lastAddress === own.lastAddress;
  if (!sameAddress && !behindNat) return undefined;
  if (own.protocol !== 0 && id.protocol !== 0 && own.protocol !== id.protocol) return undefined;
  const ownPort = own.firstPort === own.lastPort ? own.firstPort : 0;
  if (ownPort !== 0 && id.port !== 0 && ownPort !== id.port) return undefined;
  const protocol = own.protocol === 0 ? id.protocol : own.protocol;
  return hostSelector(own.firstAddress, protocol, ownPort === 0 ? id.port : ownPort);
}

function sideOf(id: IdPayload | undefined, address: string): TrafficSelector | undefined {
  return id === undefined ? hostSelector(address, 0, 0) : selectorOfId(id);
}

/** Whether every packet of `inner` is one of `outer`. */
export function containsSelector(outer: TrafficSelector, inner: TrafficSelector): boolean {
  if (isIpv6(outer) !== isIpv6(inner)) return false;
  return (
    (outer.protocol === 0 || outer.protocol === inner.protocol) &&
    outer.firstPort <= inner.firstPort &&
    outer.lastPort >= inner.lastPort &&
    addressKey(outer.firstAddress) <= addressKey(inner.firstAddress) &&
    addressKey(outer.lastAddress) >= addressKey(inner.lastAddress)
  );
}

function isIpv6({ firstAddress }: TrafficSelector): boolean {
  return firstAddress.includes(':');
}

/** Hexadecimal digits compare as the numbers do, at one length. */
function addressKey(address: string): string {
  return hex(addressOctets(address));
}

function asked(local: TrafficSelector | undefined, remote: TrafficSelector | undefined): string {
  const text = (selector: TrafficSelector | undefined): string =>
    selector === undefined ? 'something that is no address' : selectorText(selector);
  return `${text(local)} with ${text(remote)}`;
}

/** What a child SA is told by when another one takes over. */
export function selectorsKey(mode: string, { local, remote }: ChildSelectors): string {
  return `${mode} ${selectorText(local)} ${selectorText(remote)}`;
}
