import type { IpsecChildStatus, IpsecStatus } from '../api/router-control.ts';
import { ANY_PEER } from '../config/ipsec-schema.ts';
import type { SaCounters, SaKey } from '../dataplane/data-plane.ts';
import type { Failure } from '../protocol/machine.ts';
import { formatEndpoint, type UdpEndpoint } from '../protocol/udp-path.ts';
import type { ChildSaInfo, IkeSaInfo, IpsecConnectionInfo } from '../vpn/ipsec/ipsec-types.ts';

/** State `down` of a connection that packets will have call. */
const WAITS = 'waits for traffic';

/** Counters by SA pair. */
export type SaCountersByKey = ReadonlyMap<SaKey, SaCounters>;

/**
 * An entry per IKE SA, or one with empty values that says how the connection is without any. One that takes calls has such
 * an entry while no caller is through: strangers who have only begun are no sign of its health.
 */
export function ipsecStatus(connection: IpsecConnectionInfo, counters: SaCountersByKey): IpsecStatus[] {
  // One that has handed everything over and only awaits its end says nothing to anybody.
  const telling = connection.ikeSas.filter(({ state, children }) => state !== 'replaced' || children.length > 0);
  const entries = telling.map((ike) => ofIkeSa(connection, ike, counters));
  const waits = connection.remote === ANY_PEER && entries.every(({ state }) => state !== 'up');
  return entries.length === 0 || waits ? [withoutSa(connection), ...entries] : entries;
}

function withoutSa(connection: IpsecConnectionInfo): IpsecStatus {
  const { name, version, mode, remote, state, stateSince, failure, waitsForTraffic } = connection;
  return {
    name,
    state,
    // A server that waits says why it turned the last caller away, too.
    ...(state === 'down' ? {} : why(failure)),
    ...(waitsForTraffic ? { reason: WAITS } : {}),
    version,
    mode,
    role: remote === ANY_PEER ? 'responder' : 'initiator',
    peer: remote,
    algorithms: '',
    nat: 'none',
    encapsulation: '',
    peerIdentity: '',
    peerImplementation: '',
    since: Math.round(stateSince),
    children: [],
  };
}

function ofIkeSa(connection: IpsecConnectionInfo, ike: IkeSaInfo, counters: SaCountersByKey): IpsecStatus {
  const { name, mode, remote, stateSince, failure } = connection;
  const { algorithms, peerIdentity, peerUser, peerImplementation, peerLooksLike, secondsLeft } = ike;
  const state = ike.state === 'connecting' ? 'connecting' : 'up';
  const children = ike.children.map((child) => ofChild(name, child, counters.get(child.sa)));
  const [first] = ike.children.filter(({ sending }) => sending).concat(ike.children);
  return {
    name,
    state,
    // While the next attempt runs, why the last one failed is still what one wants to know. Of callers it was another one.
    ...(state === 'up' || remote === ANY_PEER ? {} : why(failure)),
    version: ike.version,
    mode,
    role: ike.initiator ? 'initiator' : 'responder',
    peer: formatEndpoint(ike.path.remote),
    algorithms,
    nat: natWords(ike),
    ...(ike.movedFrom === undefined ? {} : { note: moveNote(ike.movedFrom) }),
    encapsulation: first === undefined ? '' : encapsulationOf(first),
    peerIdentity,
    ...(peerUser === undefined ? {} : { peerUser }),
    peerImplementation,
    ...(peerLooksLike === undefined ? {} : { peerLooksLike }),
    ...(secondsLeft === undefined ? {} : { secondsLeft: Math.max(0, secondsLeft) }),
    since: Math.round(stateSince),
    children,
  };
}

function ofChild(name: string, child: ChildSaInfo, counters: SaCounters | undefined): IpsecChildStatus {
  const { algorithms, secondsLeft, localSelectors, remoteSelectors } = child;
  return {
    name,
    state: child.sending ? 'up' : 'down',
    algorithms,
    inboundSpi: spiText(child.inboundSpi),
    outboundSpi: spiText(child.outboundSpi),
    secondsLeft: Math.max(0, secondsLeft),
    protocol: child.protocol,
    encapsulation: encapsulationOf(child),
    localSelectors: [...localSelectors],
    remoteSelectors: [...remoteSelectors],
    packetsReceived: counters?.packetsReceived ?? 0,
    octetsReceived: counters?.octetsReceived ?? 0,
    packetsSent: counters?.packetsSent ?? 0,
    octetsSent: counters?.octetsSent ?? 0,
    drops: { ...counters?.drops },
  };
}

/** Eight hexadecimal digits, as captures show it. */
function spiText(spi: number): string {
  return spi.toString(16).padStart(8, '0');
}

function encapsulationOf({ udpEncapsulation }: ChildSaInfo): 'udp' | 'none' {
  return udpEncapsulation ? 'udp' : 'none';
}

function moveNote(from: UdpEndpoint): string {
  return (
    `the peer was at ${formatEndpoint(from)} before: a NAT on the way has given it another address or port, and it was ` +
    'followed there'
  );
}

function natWords({ natLocal, natRemote }: IkeSaInfo): IpsecStatus['nat'] {
  if (natLocal && natRemote) return 'both';
  if (natLocal) return 'here';
  return natRemote ? 'there' : 'none';
}

function why(failure: Failure | undefined): { reason?: string; remedy?: string } {
  return failure ? { reason: `${failure.step}: ${failure.reason}`, remedy: failure.remedy } : {};
}
