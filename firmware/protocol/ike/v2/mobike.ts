/**
 * MOBIKE (RFC 4555): the side that opened an IKE SA may go on with it from another address. In tunnel mode alone, for
 * which it is specified (section 1.2), and not with AH, to which there may be a NAT on the next path.
 */
import { ByteWriter, concatBytes } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import { samePath, type UdpPath } from '../../udp-path.ts';
import { addressOctets } from '../address-octets.ts';
import { equalSecrets } from '../crypto/secrets.ts';
import type { NatSituation } from '../nat.ts';
import { isForAh } from '../proposals.ts';
import { isEncapsulated } from './child-negotiation.ts';
import { DONE, type Exchange, type Finished, type ReceivedResponse } from './exchange.ts';
import { addressRefused, notThere } from './failures.ts';
import type { IkeSa } from './ike-sa.ts';
import { ikeDelete } from './informational.ts';
import { detectNat, natdPayloads } from './natd.ts';
import { findNotify, notify } from './notify.ts';
import { NOTIFY } from './numbers.ts';
import { findAll, type Payload } from './payload.ts';

/** Octets of a COOKIE2 of ours (section 4.2.5: 8 to 64). */
const COOKIE2_OCTETS = 16;
const COOKIE2_BOUNDS = { least: 8, most: 64 } as const;

/** How often a request is repeated that the peer says a NAT has changed (section 3.9). */
const UNEXPECTED_NAT_TRIES = 3;

/** What an IKE SA knows of it; one that takes over has the same. */
export interface Mobility {
  /** Both sides know MOBIKE. */
  agreed: boolean;
  /** The peer knows NAT traversal: else addresses are protected by NO_NATS_ALLOWED (section 3.9). */
  readonly natTraversal: boolean;
  /** Where the peer says that it is now, and has not shown yet that it is: IKE goes there, ESP does not (section 3.7). */
  unproved?: UdpPath;
  /** What the peer last said of how it sees us: NAT_DETECTION_DESTINATION_IP (section 3.8). */
  seenAs?: Uint8Array;
}

/** Whether this side is the one that decides on addresses, whoever has rekeyed since (section 2.1). */
function decides(sa: IkeSa): boolean {
  return sa.mobility.agreed && sa.opened;
}

/** Whether it may be agreed on. */
function isWelcome({ connection }: IkeSa): boolean {
  return connection.mode === 'tunnel' && !isForAh(connection.espProposals);
}

/** Whether IKE goes on over port 4500 even without a NAT: one may be there on the next path (section 3.3). */
export function prefersNatPort(sa: IkeSa): boolean {
  return isWelcome(sa) && sa.mobility.natTraversal;
}

/** For the first request of IKE_AUTH, and for its answer (section 3.1). */
export function mobikeSupported(sa: IkeSa): readonly Payload[] {
  if (!isWelcome(sa)) return [];
  return [notify('MOBIKE_SUPPORTED'), ...(sa.initiator ? noNatsAllowed(sa) : [])];
}

/** As initiator: whether the peer knows it, too. */
export function readMobikeAnswer(sa: IkeSa, payloads: readonly Payload[]): void {
  sa.mobility.agreed = isWelcome(sa) && findNotify(payloads, 'MOBIKE_SUPPORTED') !== undefined;
}

/** As responder: payloads of the answer, if the caller wants it and addresses are what it says they are. */
export function answerMobike(sa: IkeSa, payloads: readonly Payload[]): readonly Payload[] {
  readMobikeAnswer(sa, payloads);
  if (sa.mobility.agreed && hasUnexpectedNat(payloads, sa.path)) sa.mobility.agreed = false;
  return sa.mobility.agreed ? mobikeSupported(sa) : [];
}

/** Without NAT traversal nobody may change addresses on the way. */
function noNatsAllowed({ mobility, path }: IkeSa): readonly Payload[] {
  return mobility.natTraversal ? [] : [notify('NO_NATS_ALLOWED', endsOctets(path))];
}

/** Source, destination, and their ports, as the sender sees them (section 4.2.6). */
function endsOctets({ local, remote }: UdpPath): Uint8Array {
  const ports = new ByteWriter(4).u16(local.port).u16(remote.port).finish();
  return concatBytes(addressOctets(local.address), addressOctets(remote.address), ports);
}

/** Somebody changed addresses although that was not to be. @param path as the message came. */
function hasUnexpectedNat(payloads: readonly Payload[], { local, remote }: UdpPath): boolean {
  const said = findNotify(payloads, 'NO_NATS_ALLOWED')?.data;
  return said !== undefined && !equalSecrets(said, endsOctets({ local: remote, remote: local }));
}

/** The two of NAT detection, where the peer knows them. */
function natDetection(sa: IkeSa, path: UdpPath): readonly Payload[] {
  if (!sa.mobility.natTraversal) return [];
  const pretend = sa.connection.forceEncapsulation === true && !sa.encapsulationAgreed ? sa.host.random : undefined;
  return natdPayloads(sa.spiI, sa.spiR, path, pretend);
}

/** What the peer says of the path on which it was sent, and what follows for ESP. */
function redetect(sa: IkeSa, payloads: readonly Payload[], path: UdpPath): void {
  if (findNotify(payloads, 'NAT_DETECTION_SOURCE_IP') === undefined) return;
  const forced = sa.connection.forceEncapsulation === true;
  sa.nat = detectNat(payloads, sa.spiI, sa.spiR, path, { agreed: sa.encapsulationAgreed, forced });
}

/** Path and encapsulation of all that is encrypted are these now; the outside is told. */
function settle(sa: IkeSa, path: UdpPath): void {
  sa.path = path;
  delete sa.mobility.unproved;
  for (const child of sa.children.values()) {
    child.sa = { ...child.sa, path, udpEncapsulation: isEncapsulated(sa, child.esp) };
  }
  sa.host.emit({ kind: 'path', ikeId: sa.id, path, peer: sa.peer });
}

/**
 * This side has another address towards the peer.
 * @param path with the ports of before; `local` is the new address.
 * @returns whether the IKE SA goes on from there; else it has to be made anew, and only says goodbye from there.
 */
export function changeAddress(now: Instant, sa: IkeSa, path: UdpPath): boolean {
  if (!sa.established || !decides(sa)) {
    sa.path = path;
    return false;
  }
  // ESP goes at once: that the peer is where it was needs no proof.
  settle(sa, path);
  sa.window.resend(now);
  update(now, sa);
  return true;
}

/** Asks the peer to go on with the addresses that the request comes from, before all that waits. */
function update(now: Instant, sa: IkeSa, tries = UNEXPECTED_NAT_TRIES): void {
  sa.window.addFirst(new UpdateAddresses(tries));
  sa.window.pump(now);
}

class UpdateAddresses implements Exchange {
  readonly name = 'INFORMATIONAL';
  readonly duty = 'addresses';
  readonly #tries: number;
  #path: UdpPath | undefined;

  constructor(tries: number) {
    this.#tries = tries;
  }

  begin(_now: Instant, sa: IkeSa): readonly Payload[] | undefined {
    if (!sa.established) return undefined;
    this.#path = sa.path;
    return [notify('UPDATE_SA_ADDRESSES'), ...natDetection(sa, sa.path), ...noNatsAllowed(sa)];
  }

  finish(now: Instant, sa: IkeSa, { payloads }: ReceivedResponse): Finished {
    const path = this.#path;
    // The address has changed again: another request says so, and this answer says nothing.
    if (path === undefined || !samePath(path, sa.path)) return DONE;
    if (findNotify(payloads, 'UNEXPECTED_NAT_DETECTED') !== undefined && this.#tries > 0) {
      sa.window.addFirst(new UpdateAddresses(this.#tries - 1));
      return DONE;
    }
    const refused = findAll(payloads, 'N').find(
      ({ type }) => type === NOTIFY.UNACCEPTABLE_ADDRESSES || type === NOTIFY.UNEXPECTED_NAT_DETECTED,
    );
    if (refused !== undefined) {
      sa.end(now, addressRefused(path, refused.type));
      sa.window.add(ikeDelete());
      return DONE;
    }
    const before = sa.nat;
    redetect(sa, payloads, path);
    keepSeenAs(sa, payloads);
    if (before.local !== sa.nat.local || before.encapsulation !== sa.nat.encapsulation) settle(sa, path);
    return DONE;
  }
}

function keepSeenAs(sa: IkeSa, payloads: readonly Payload[]): void {
  const seen = findNotify(payloads, 'NAT_DETECTION_DESTINATION_IP')?.data;
  if (seen !== undefined) sa.mobility.seenAs = seen.slice();
}

/** What goes into the question whether the peer lives: whether a NAT before us shows us elsewhere by now (section 3.8). */
export function livenessPayloads(sa: IkeSa): readonly Payload[] {
  return decides(sa) && sa.nat.local ? natDetection(sa, sa.path) : [];
}

/** What its answer says of that. */
export function readLivenessAnswer(now: Instant, sa: IkeSa, payloads: readonly Payload[]): void {
  const seen = findNotify(payloads, 'NAT_DETECTION_DESTINATION_IP')?.data;
  if (seen === undefined || !decides(sa) || !sa.nat.local) return;
  const { seenAs } = sa.mobility;
  keepSeenAs(sa, payloads);
  // Not known yet, or of the SPIs before a rekey: one update more does no harm.
  if (seenAs === undefined || !equalSecrets(seenAs, seen)) update(now, sa);
}

/**
 * Answers what an INFORMATIONAL request says of addresses (sections 3.5 to 3.9).
 * @param path as the request came. @returns payloads of the response.
 */
export function answerAddresses(
  now: Instant,
  sa: IkeSa,
  payloads: readonly Payload[],
  path: UdpPath,
): readonly Payload[] {
  const cookie = findNotify(payloads, 'COOKIE2')?.data;
  const fits = cookie !== undefined && cookie.length >= COOKIE2_BOUNDS.least && cookie.length <= COOKIE2_BOUNDS.most;
  const echo = fits ? [notify('COOKIE2', cookie)] : [];
  if (!sa.mobility.agreed || !sa.established) return echo;
  if (hasUnexpectedNat(payloads, path)) return [notify('UNEXPECTED_NAT_DETECTED'), ...echo];
  const asked = findNotify(payloads, 'NAT_DETECTION_SOURCE_IP') !== undefined;
  const seen = asked ? natDetection(sa, path) : [];
  // Whoever opened the SA decides (section 3.5); other addresses that the peer has are of no use to one that answers.
  if (sa.opened || findNotify(payloads, 'UPDATE_SA_ADDRESSES') === undefined) return [...seen, ...echo];
  if (isCrowded(sa, path)) return [notify('UNACCEPTABLE_ADDRESSES'), ...echo];
  moved(now, sa, payloads, path);
  return [...seen, ...echo];
}

/** The same bound as for those who call from there. */
function isCrowded(sa: IkeSa, { remote }: UdpPath): boolean {
  if (remote.address === sa.path.remote.address) return false;
  let count = 0;
  for (const other of sa.host.ikeSas()) if (other.path.remote.address === remote.address) count += 1;
  return count >= sa.host.limits.ikeSasPerAddress;
}

/** The peer has moved, it says. ESP follows when it has shown that it receives there. */
function moved(now: Instant, sa: IkeSa, payloads: readonly Payload[], path: UdpPath): void {
  const before = sa.nat;
  redetect(sa, payloads, path);
  if (samePath(path, sa.path)) {
    delete sa.mobility.unproved;
    if (before.encapsulation !== sa.nat.encapsulation || before.remote !== sa.nat.remote) settle(sa, path);
    return;
  }
  const { nat } = sa;
  sa.nat = before;
  sa.mobility.unproved = path;
  sa.window.resend(now);
  sa.window.addFirst(pathCheck(path, nat, sa.host.random.bytes(COOKIE2_OCTETS)));
}

/** Whether the peer receives there. Under whichever IKE SA it is: another one may take over meanwhile. */
function pathCheck(path: UdpPath, nat: NatSituation, cookie: Uint8Array): Exchange {
  const isWanted = (sa: IkeSa): boolean => sa.established && sa.mobility.unproved === path;
  return {
    name: 'INFORMATIONAL',
    duty: 'addresses',
    begin: (_now, sa) => (isWanted(sa) ? [notify('COOKIE2', cookie)] : undefined),
    finish(now, sa, { payloads }) {
      if (!isWanted(sa)) return DONE;
      const echo = findNotify(payloads, 'COOKIE2')?.data;
      if (echo === undefined || !equalSecrets(echo, cookie)) {
        sa.end(now, notThere(path));
        sa.window.add(ikeDelete());
        return DONE;
      }
      sa.nat = nat;
      settle(sa, path);
      return DONE;
    },
  };
}
