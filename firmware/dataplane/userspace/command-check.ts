/**
 * Mistakes of the caller, found in the control thread, where there is a stack to blame: what the engine gets makes
 * sense.
 */
import { packetIntegrity, packetSuite } from '../../../hal/packet-cipher-suite.ts';
import { SaLifetime } from '../../protocol/esp/lifetime.ts';
import { MIN_ASSIGNED_SPI } from '../../protocol/esp/packet.ts';
import { DEFAULT_REPLAY_WINDOW, ReplayWindow } from '../../protocol/esp/replay-window.ts';
import { SaSelectors } from '../../protocol/esp/selectors.ts';
import type { ChildKeys } from '../../protocol/ike/ike-types.ts';
import { childProtocol } from '../../protocol/ike/proposals.ts';
import type { PolicySpec, SaSpec, SessionNetworkSpec, SessionSpec, SocketSpec } from '../data-plane.ts';
import type { LineSessionSpec, PppCarrier } from '../ppp-carrier.ts';
import { parseIpv4Prefix } from './ipv4-prefix-table.ts';
import { parseIpv6Prefix } from './ipv6-prefix-table.ts';

const LAST_SPI = 0xffff_ffff;

export function assertPositiveInteger(what: string, id: number): void {
  if (!Number.isSafeInteger(id) || id < 1) throw new RangeError(`${id} is no ${what} id: a positive integer is wanted`);
}

export function assertNew(what: string, id: number, known: boolean): void {
  assertPositiveInteger(what, id);
  if (known) throw new RangeError(`${what} ${id} is there already`);
}

export function assertKnown(what: string, id: number, known: boolean): void {
  if (!known) throw new RangeError(`there is no ${what} ${id}`);
}

export function assertSocket({ purpose, port }: SocketSpec): void {
  if (purpose !== 'protected-l2tp' || (Number.isInteger(port) && port >= 1 && port <= 0xffff)) return;
  throw new RangeError(`${port} is no port for L2TP inside IPsec (1..65535): no kernel is there to choose one`);
}

/** @param socket that it names. */
export function assertSession(spec: SessionSpec, socket: SocketSpec | undefined): void {
  assertPositiveInteger('session', spec.key);
  assertKnown('socket', spec.socket, socket !== undefined);
  if (socket?.purpose !== 'l2tp' && socket?.purpose !== 'protected-l2tp') {
    throw new RangeError(`socket ${spec.socket} is not for L2TP`);
  }
  if ((socket.purpose === 'protected-l2tp') !== (spec.path.bearer !== undefined)) {
    throw new RangeError(
      `session ${spec.key} has a bearer and socket ${spec.socket} is in clear, or the other way round`,
    );
  }
  for (const id of [spec.localTunnelId, spec.localSessionId, spec.peerTunnelId, spec.peerSessionId]) {
    if (!Number.isInteger(id) || id < 1 || id > 0xffff) throw new RangeError(`${id} is no L2TP id (1..65535)`);
  }
  const { packets, milliseconds } = spec.reorder ?? { packets: 0, milliseconds: 0 };
  if (!inRange(packets, 256) || !inRange(milliseconds, 1000)) {
    throw new RangeError(`session ${spec.key} may not hold back ${packets} packets for ${milliseconds} ms (256, 1000)`);
  }
  if (!inRange(spec.dscp ?? 0, 63)) throw new RangeError(`${spec.dscp} is no DSCP (0..63)`);
  assertPrefixes(spec.network);
}

export function assertCarrier(carrier: PppCarrier): void {
  if (carrier.kind === 'serial') {
    if (Number.isInteger(carrier.descriptor) && carrier.descriptor >= 0) return;
    throw new RangeError(`${carrier.descriptor} is no descriptor`);
  }
  const { peerMac, sessionId } = carrier;
  if (peerMac.length !== 6) throw new RangeError(`a MAC address has 6 octets, not ${peerMac.length}`);
  if (!Number.isInteger(sessionId) || sessionId < 1 || sessionId > 0xfffe) {
    throw new RangeError(`${sessionId} is no PPPoE session id (1..65534)`);
  }
}

export function assertLineSession(spec: LineSessionSpec, known: boolean): void {
  assertPositiveInteger('session', spec.key);
  assertKnown('line', spec.line, known);
  assertPrefixes(spec.network);
}

function assertPrefixes(network: SessionNetworkSpec | undefined): void {
  for (const prefix of network === undefined ? [] : [...network.destinations, ...network.sources]) {
    parseIpv4Prefix(prefix);
    parseIpv6Prefix(prefix);
  }
}

/** @throws EncodeError when a selector makes no sense. */
export function assertPolicySelectors({ inside }: PolicySpec): void {
  if (inside.kind === 'ip') new SaSelectors(inside.localSelectors, inside.remoteSelectors);
}

/**
 * @param policy that it names.
 * @param socket that it names.
 * @throws EncodeError when selectors, lifetimes or the window make no sense.
 */
export function assertSa(spec: SaSpec, policy: PolicySpec | undefined, socket: SocketSpec | undefined): void {
  assertPositiveInteger('SA', spec.key);
  assertKnown('policy', spec.policy, policy !== undefined);
  assertKnown('socket', spec.socket, socket !== undefined);
  const ah = childProtocol(spec.outbound) === 'ah';
  if (ah ? socket?.purpose !== 'ah' : socket?.purpose !== 'udp-encapsulation' && socket?.purpose !== 'esp') {
    throw new RangeError(`socket ${spec.socket} is not for ${ah ? 'AH' : 'ESP'}`);
  }
  if (ah && spec.mode !== 'tunnel')
    throw new RangeError(`SA ${spec.key} is of AH, which is here for tunnel mode alone`);
  if (spec.mode !== (policy?.inside.kind === 'l2tp' ? 'transport' : 'tunnel')) {
    throw new RangeError(`policy ${spec.policy} is not for an SA in ${spec.mode} mode`);
  }
  assertSpi(spec.inbound.spi, MIN_ASSIGNED_SPI);
  assertSpi(spec.outbound.spi, 1);
  new SaLifetime(spec.lifetimes, 0);
  new ReplayWindow(spec.replayWindow ?? DEFAULT_REPLAY_WINDOW, spec.extendedSequenceNumbers);
  new SaSelectors(spec.localSelectors, spec.remoteSelectors);
  if (spec.localSelectors.length === 0 || spec.remoteSelectors.length === 0) {
    throw new RangeError(`SA ${spec.key} has no selectors: it could carry nothing`);
  }
}

/** @throws HalError when there is no such cipher or a key has the wrong length. */
export function assertSaKeys({ inbound, outbound }: SaSpec): void {
  for (const [keys, direction] of [
    [inbound, 'open'],
    [outbound, 'seal'],
  ] as const) {
    if (childProtocol(keys) === 'ah') packetIntegrity(integrityOf(keys));
    else packetSuite({ ...keys, direction });
  }
}

/** What an SA of AH is opened with. */
export function integrityOf({ integrity = 'none', integrityKey = new Uint8Array() }: ChildKeys) {
  return { integrity, integrityKey };
}

/** The same with keys of its own, which can be wiped, and whose buffers hold nothing else. */
export function withOwnKeys(spec: SaSpec): SaSpec {
  return { ...spec, inbound: ownKeys(spec.inbound), outbound: ownKeys(spec.outbound) };
}

export function wipeKeys({ inbound, outbound }: SaSpec): void {
  for (const { encryptionKey, integrityKey } of [inbound, outbound]) {
    encryptionKey.fill(0);
    integrityKey?.fill(0);
  }
}

function ownKeys<Keys extends ChildKeys>(keys: Keys): Keys {
  const { encryptionKey, integrityKey } = keys;
  return {
    ...keys,
    encryptionKey: new Uint8Array(encryptionKey),
    ...(integrityKey === undefined ? {} : { integrityKey: new Uint8Array(integrityKey) }),
  };
}

function inRange(value: number, largest: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= largest;
}

function assertSpi(spi: number, first: number): void {
  if (Number.isInteger(spi) && spi >= first && spi <= LAST_SPI) return;
  throw new RangeError(`${spi} is no SPI (${first}..${LAST_SPI})`);
}
