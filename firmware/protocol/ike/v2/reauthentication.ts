/**
 * Reauthentication (RFC 7296 section 2.8.3, RFC 4478), made before broken: another IKE SA with a child of its own is made
 * beside the one that stands, traffic moves over, and then the old one is deleted.
 */
import { ByteReader, ByteWriter } from '../../bytes.ts';
import type { Failure, Instant } from '../../machine.ts';
import { sameEndpoint } from '../../udp-path.ts';
import { identityKey } from '../identity.ts';
import type { TrafficSelector } from '../ike-types.ts';
import { ZERO_SPI } from '../message-header.ts';
import type { Child } from './child.ts';
import { IkeSa } from './ike-sa.ts';
import { InitInitiator } from './init-initiator.ts';
import { randomFraction, retryAt } from './lifetime.ts';
import { findNotify, notify } from './notify.ts';
import type { Payload } from './payload.ts';
import { isWithin } from './traffic-selector.ts';

/** It begins after this part of the time at the latest, and up to {@link JITTER} of it earlier. */
const LATEST = 0.9;
const JITTER = 0.1;

/** Least time that a peer may ask for, seconds: it would cost a key exchange each time. */
const LEAST_SECONDS = 5;

/** For how long packets may be on their way, ms: a busy peer takes them late, and none that it has deleted the SA of. */
const STRAGGLERS_MS = 2000;

/** As responder: what the caller is told of how long its proof is good (RFC 4478 section 3). */
export function authLifetime({ connection }: IkeSa): readonly Payload[] {
  const seconds = connection.reauthSeconds ?? 0;
  return seconds === 0 ? [] : [notify('AUTH_LIFETIME', new ByteWriter(4).u32(seconds).finish())];
}

/** As responder: until when the caller has to prove itself again. */
export function expectReauthentication(now: Instant, sa: IkeSa): void {
  const seconds = sa.connection.reauthSeconds ?? 0;
  if (seconds > 0) sa.reauthenticateBy = now + seconds * 1000;
}

/** As initiator: when to prove itself again, by this side's wish or by the peer's, whichever is sooner. */
export function planReauthentication(now: Instant, sa: IkeSa, payloads: readonly Payload[]): void {
  const told = findNotify(payloads, 'AUTH_LIFETIME')?.data;
  const asked = told?.length === 4 ? Math.max(LEAST_SECONDS, new ByteReader(told).u32('AUTH_LIFETIME')) : 0;
  const wishes = [asked, sa.connection.reauthSeconds ?? 0].filter((seconds) => seconds > 0);
  if (wishes.length === 0) return;
  const part = LATEST - JITTER * randomFraction(sa.host.random);
  sa.reauthenticateAt = now + Math.floor(Math.min(...wishes) * 1000 * part);
}

/** Makes another IKE SA beside this one, unless that is being done. */
export function reauthenticate(now: Instant, sa: IkeSa): void {
  sa.reauthenticateAt = undefined;
  const { host, connection, path } = sa;
  for (const other of host.ikeSas()) if (!other.ended && other.reauthenticates === sa) return;
  const next = new IkeSa(now, host, {
    connection,
    path,
    initiator: true,
    spiI: host.newIkeSpi(),
    spiR: ZERO_SPI,
    state: { name: 'initiating' },
    expectedId: 0,
  });
  next.reauthenticates = sa;
  next.opened = true;
  next.cameToNothing = (at, failure) => reauthenticationFailed(at, next, failure);
  next.window.add(new InitInitiator());
  next.window.pump(now);
}

/** The one in whose place `sa` is made, or what has taken that one's place by a rekey meanwhile; `undefined`: none stands. */
export function predecessor(sa: IkeSa): IkeSa | undefined {
  let old = sa.reauthenticates;
  while (old?.state.name === 'replaced') old = old.state.by;
  return old?.established === true ? old : undefined;
}

/** It came to nothing: the old one goes on, and asks again later. */
function reauthenticationFailed(now: Instant, sa: IkeSa, failure: Failure): void {
  const old = predecessor(sa);
  if (old === undefined) return;
  old.refusals += 1;
  old.reauthenticateAt = retryAt(now, old.refusals, old.host.random);
  old.note('IKE_AUTH', `reauthentication failed: ${failure.reason}`);
}

/**
 * The new one stands and so does its child: nothing is sent by the old one any more. What is on its way still comes by it,
 * on both sides; then the peer is told to delete it.
 */
export function retire(now: Instant, old: IkeSa, next: IkeSa): void {
  old.state = { name: 'replaced', by: next };
  old.expiresAt = now + STRAGGLERS_MS;
  old.rekeyAt = undefined;
  old.reauthenticateAt = undefined;
  old.peerRekey = undefined;
  old.window.takeQueue();
}

/**
 * As responder: the child of the same peer, for the same traffic, that this one may be meant to replace. Until the peer
 * uses the new one or deletes the old one, it may not have the new one yet.
 */
export function replacedChild(sa: IkeSa, child: Child): Child | undefined {
  if (sa.peerId === undefined) return undefined;
  const who = identityKey(sa.peerId);
  for (const other of sa.host.ikeSas()) {
    const same = other !== sa && other.established && other.connection.name === sa.connection.name;
    // Only the side that opened an SA proves itself again.
    if (!same || other.opened || other.peerId === undefined || identityKey(other.peerId) !== who) continue;
    if (!sameEndpoint(other.path.remote, sa.path.remote)) continue;
    for (const one of other.children.values()) {
      if (one.state === 'up' && one.replacedBy === undefined && sameTraffic(one, child)) return one;
    }
  }
  return undefined;
}

function sameTraffic({ sa: a }: Child, { sa: b }: Child): boolean {
  return (
    a.mode === 'tunnel' &&
    b.mode === 'tunnel' &&
    same(a.localSelectors, b.localSelectors) &&
    same(a.remoteSelectors, b.remoteSelectors)
  );
}

function same(a: readonly TrafficSelector[], b: readonly TrafficSelector[]): boolean {
  return isWithin(a, b) && isWithin(b, a);
}
