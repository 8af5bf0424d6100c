/** What an IKE SA does because of the time: retransmission, liveness, lifetimes (RFC 7296 sections 2.4 and 2.8). */
import type { Instant } from '../../machine.ts';
import type { Child } from './child.ts';
import { callerVanished, lifetimeOver, noChildLeft, notReauthenticated, replacedByRekey } from './failures.ts';
import { dropFollowUp } from './follow-up.ts';
import type { IkeSa } from './ike-sa.ts';
import { childDelete, ikeDelete, liveness } from './informational.ts';
import { reauthenticate } from './reauthentication.ts';
import { CreateChild } from './rekey-child.ts';
import { RekeyIke } from './rekey-ike.ts';
import { DEFAULT_DPD_SECONDS } from './settings.ts';

/** How long an IKE SA stays without a child, ms: time for a peer to try another proposal. */
const CHILDLESS_MS = 20_000;

/** How long the peer may take to answer a DELETE that is overdue, ms. */
const OVERDUE_MS = 30_000;

/** When {@link tickIkeSa} is wanted next. */
export function deadlineOf(sa: IkeSa): Instant | undefined {
  const { state } = sa;
  if (state.name === 'gone') return undefined;
  const deadlines = [sa.window.deadline, sa.expiresAt, sa.followUp?.until];
  if (state.name === 'half-open') deadlines.push(state.init.until);
  if (state.name === 'established') {
    deadlines.push(sa.reauthenticateAt, sa.reauthenticateBy);
    deadlines.push(sa.rekeyAt, livenessAt(sa), childlessUntil(sa), askAt(sa));
    for (const child of sa.children.values()) {
      deadlines.push(child.rekeyAt, child.expiresAt, child.receiveOnly ? child.sendAt : undefined);
    }
  }
  return deadlines.reduce((first, next) => (first === undefined || (next ?? first) < first ? next : first), undefined);
}

function livenessAt(sa: IkeSa): Instant | undefined {
  const seconds = sa.connection.dpdSeconds ?? DEFAULT_DPD_SECONDS;
  return seconds === 0 || !sa.window.idle ? undefined : sa.heardAt + seconds * 1000;
}

function childlessUntil(sa: IkeSa): Instant | undefined {
  if (sa.childlessSince === undefined || sa.window.has('child')) return undefined;
  return sa.childlessSince + CHILDLESS_MS;
}

/** When to ask for a child like the one that was lost. */
function askAt(sa: IkeSa): Instant | undefined {
  return sa.window.has('child') ? undefined : sa.lost?.askAt;
}

function due(now: Instant, at: Instant | undefined): boolean {
  return at !== undefined && now >= at;
}

export function tickIkeSa(now: Instant, sa: IkeSa): void {
  sa.window.tick(now);
  if (sa.state.name === 'half-open' && due(now, sa.state.init.until)) {
    sa.host.refused(now, sa.connection, callerVanished(sa.path), sa.id);
    sa.forget();
  }
  if (due(now, sa.followUp?.until)) dropFollowUp(sa);
  if (due(now, sa.expiresAt)) expire(now, sa);
  if (sa.state.name === 'established') tickEstablished(now, sa);
  sa.window.pump(now);
}

function expire(now: Instant, sa: IkeSa): void {
  switch (sa.state.name) {
    case 'established':
      sa.end(now, lifetimeOver('IKE'));
      sa.window.add(ikeDelete());
      return;
    case 'replaced':
      // The peer should have deleted it. It has had a minute; now this side does, and then forgets it.
      if (sa.window.has('ike-delete')) {
        sa.end(now, replacedByRekey());
        sa.forget();
      } else {
        sa.expiresAt = now + OVERDUE_MS;
        sa.window.add(ikeDelete());
      }
      return;
    case 'closing':
      // The window gives up by itself.
      if (sa.window.has('ike-delete')) sa.expiresAt = now + OVERDUE_MS;
      else sa.forget();
      return;
    default:
      sa.forget();
  }
}

function tickEstablished(now: Instant, sa: IkeSa): void {
  for (const child of [...sa.children.values()]) tickChild(now, sa, child);
  if (due(now, sa.rekeyAt)) rekeyIke(sa);
  if (due(now, sa.reauthenticateAt)) reauthenticate(now, sa);
  if (due(now, sa.reauthenticateBy)) {
    sa.end(now, notReauthenticated());
    sa.window.add(ikeDelete());
    return;
  }
  if (sa.lost !== undefined && due(now, askAt(sa))) sa.window.add(new CreateChild(sa.lost.child, { fresh: true }));
  if (due(now, childlessUntil(sa))) {
    sa.end(now, sa.childFailure ?? noChildLeft());
    sa.window.add(ikeDelete());
  } else if (due(now, livenessAt(sa))) sa.window.add(liveness());
}

function tickChild(now: Instant, sa: IkeSa, child: Child): void {
  if (due(now, child.rekeyAt)) rekeyChild(sa, child);
  if (due(now, child.sendAt)) sa.sendOn(child);
  if (now < child.expiresAt) return;
  if (child.state === 'deleting') sa.remove(now, child);
  else {
    // Nothing goes over it any more, whatever the peer says to the DELETE.
    if (child.state === 'up') overdue(now, sa, child);
    child.expiresAt = now + OVERDUE_MS;
    sa.window.add(childDelete(child));
  }
}

/** The peer never agreed to another one. Whoever opened the connection goes on asking, but not to replace this one. */
function overdue(now: Instant, sa: IkeSa, child: Child): void {
  child.failure = lifetimeOver('child');
  sa.note('INFORMATIONAL', child.failure.reason);
  if (!sa.opened || child.replacedBy !== undefined || [...sa.children.values()].some((one) => one !== child)) return;
  child.refusals = 0;
  sa.lost = { child, askAt: now };
  if (!sa.window.has('child')) sa.window.add(new CreateChild(child, { fresh: true }));
}

/** Replaces a child, unless that is being done. */
export function rekeyChild(sa: IkeSa, child: Child): void {
  child.rekeyAt = undefined;
  if (child.state === 'up' && child.replacedBy === undefined) sa.window.add(new CreateChild(child));
}

/** Replaces the IKE SA, unless that is being done. */
export function rekeyIke(sa: IkeSa): void {
  sa.rekeyAt = undefined;
  if (!sa.window.has('ike-rekey')) sa.window.add(new RekeyIke());
}

/** Asks whether the peer lives, unless it is being asked something already. */
export function probe(now: Instant, sa: IkeSa): void {
  if (!sa.established || !sa.window.idle) return;
  sa.window.add(liveness());
  sa.window.pump(now);
}
