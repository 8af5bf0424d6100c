/** CREATE_CHILD_SA for child SAs (RFC 7296 sections 1.3.1, 1.3.3, 2.8, 2.8.1, 2.25.1; RFC 9370 section 2.2.4). */
import { DecodeError } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import { createKeyExchange, type KeyExchange } from '../crypto/dh.ts';
import { childProtocol } from '../proposals.ts';
import type { Child } from './child.ts';
import { spiNumber, spiOctets } from './child.ts';
import {
  type AgreedChild,
  answerPayloads,
  askForChild,
  askPayloads,
  type ChildAsk,
  type ChildSeed,
  judgeChildRequest,
  makeChild,
  readChildAnswer,
} from './child-negotiation.ts';
import { DONE, type Exchange, type Finished, type ReceivedResponse } from './exchange.ts';
import { outOfStep } from './failures.ts';
import {
  awaitFollowUp,
  dropFollowUp,
  FollowUpKe,
  type FollowUpResult,
  GIVE_WAY_MS,
  linkOf,
  rekeyUnderWay,
} from './follow-up.ts';
import { type IkeSa, REPLACED_MS } from './ike-sa.ts';
import { childDelete, ikeDelete, spiDelete } from './informational.ts';
import { NONCE_OCTETS } from './init-exchange.ts';
import { retryAt } from './lifetime.ts';
import { findError, findNotify, type NotifyPayload, notify, notifyChild } from './notify.ts';
import { NOTIFY, notifyText, PROTOCOL } from './numbers.ts';
import { find, type Payload, type PayloadOf } from './payload.ts';
import { answerKe, finishKe, invalidKe, kePayload, wantedGroup } from './pfs.ts';
import { groupName } from './sa-payload.ts';
import { losesCollision, type Nonces } from './takeover.ts';

/**
 * After so many TEMPORARY_FAILUREs, several minutes with the waits between, the two ends are out of step (section
 * 2.25).
 */
export const MAX_REFUSALS = 9;

/** How long the rekey of a child waits that the peer may not have yet, ms. */
const UNCONFIRMED_MS = 2000;

/** What is known before the additional key exchange. */
interface ToFollow {
  readonly agreed: AgreedChild;
  readonly seed: ChildSeed;
  readonly spi: number;
  readonly additional: string;
  readonly link: Uint8Array;
}

/** What the peer's rekey of the same child has made meanwhile. */
interface Collision {
  readonly child: Child;
  readonly nonces: Nonces;
}

/** Replaces a child: by rekeying it, or, where the peer does not know it any more, by a new one. */
export class CreateChild implements Exchange {
  readonly name = 'CREATE_CHILD_SA';
  readonly duty = 'child';
  readonly old: Child;
  /** Not a rekey: the peer has lost the old one (section 2.25). */
  readonly #fresh: boolean;
  readonly #group: string | undefined;
  #ask: ChildAsk | undefined;
  #nonce: Uint8Array = new Uint8Array(0);
  #exchange: KeyExchange | undefined;
  collision: Collision | undefined;

  constructor(old: Child, options: { readonly fresh?: boolean; readonly group?: string } = {}) {
    this.old = old;
    this.#fresh = options.fresh ?? false;
    this.#group = options.group;
  }

  begin(now: Instant, sa: IkeSa): readonly Payload[] | undefined {
    const { old } = this;
    if (!sa.established || !this.#isWanted(sa)) return undefined;
    if (!this.#fresh && !old.confirmed) {
      // Asked now, the peer would say that it knows no such child.
      old.rekeyAt = now + UNCONFIRMED_MS;
      return undefined;
    }
    const { subject } = sa.followUp ?? {};
    if (!this.#fresh && (subject === old || subject === 'ike')) {
      old.rekeyAt = now + GIVE_WAY_MS;
      return undefined;
    }
    const ask = askForChild(sa, true, old);
    const group = this.#group ?? ask.proposals[0]?.group;
    this.#ask = ask;
    this.#nonce = sa.host.random.bytes(NONCE_OCTETS);
    this.#exchange = group === undefined ? undefined : createKeyExchange(group, sa.host.random);
    const nonce = { kind: 'Nonce', data: this.#nonce } as const;
    return [
      ...(this.#fresh ? [] : [notifyChild('REKEY_SA', spiOctets(old.sa.inboundSpi), PROTOCOL[childProtocol(old.esp)])]),
      ...askPayloads(ask, this.#exchange === undefined ? [nonce] : [nonce, kePayload(this.#exchange)]),
    ];
  }

  /** There is something to replace, or something that was lost without another one in its place. */
  #isWanted(sa: IkeSa): boolean {
    const { old } = this;
    return sa.lost?.child === old || (sa.children.has(old.sa.id) && old.state === 'up');
  }

  finish(now: Instant, sa: IkeSa, { payloads }: ReceivedResponse): Finished {
    const error = findError(payloads);
    if (error !== undefined) this.#refused(now, sa, payloads, error.type);
    else this.#agree(now, sa, payloads);
    return DONE;
  }

  unanswered(): void {
    this.#exchange?.destroy();
  }

  #refused(now: Instant, sa: IkeSa, payloads: readonly Payload[], type: number): void {
    const { old } = this;
    this.#exchange?.destroy();
    sa.note('CREATE_CHILD_SA', `the peer refused a child SA with ${notifyText(type)}`);
    if (this.#givesWay(now, sa) || !this.#isWanted(sa)) return;
    const group = wantedGroup(payloads, this.#ask?.proposals.map((proposal) => proposal.group) ?? []);
    if (group !== undefined && this.#group === undefined) {
      sa.window.add(new CreateChild(old, { fresh: this.#fresh, group }));
    } else if (type === NOTIFY.CHILD_SA_NOT_FOUND && !this.#fresh) {
      sa.window.add(new CreateChild(old, { fresh: true }));
    } else this.#later(now, sa, type);
  }

  /** The peer's own rekey stands: it will delete the old one; or, with an additional key exchange, is about to. */
  #givesWay(now: Instant, sa: IkeSa): boolean {
    const { old, collision } = this;
    if (collision !== undefined && sa.children.has(collision.child.sa.id)) leaveToPeer(now, old, collision.child);
    else if (sa.followUp?.subject === old) old.rekeyAt = sa.followUp.until;
    else return false;
    return true;
  }

  #later(now: Instant, sa: IkeSa, type?: number): void {
    const { old } = this;
    old.refusals += 1;
    if (type === NOTIFY.TEMPORARY_FAILURE && old.refusals >= MAX_REFUSALS) {
      sa.end(now, outOfStep());
      sa.window.add(ikeDelete());
      return;
    }
    const at = retryAt(now, old.refusals, sa.host.random);
    if (sa.lost?.child === old) sa.lost.askAt = at;
    else old.rekeyAt = at;
  }

  #agree(now: Instant, sa: IkeSa, payloads: readonly Payload[]): void {
    const ask = this.#ask;
    if (ask === undefined) return;
    const agreed = readChildAnswer(sa, 'CREATE_CHILD_SA', ask, payloads);
    const nonceR = find(payloads, 'Nonce')?.data.slice();
    const exchange = this.#exchange;
    const secret = exchange === undefined ? undefined : finishKe(exchange, find(payloads, 'KE'));
    const spoiled =
      'failure' in agreed ||
      nonceR === undefined ||
      (agreed.esp.group !== undefined && (secret === undefined || agreed.esp.group !== exchange?.group)) ||
      (agreed.esp.additional !== undefined && linkOf(payloads) === undefined);
    if (spoiled) {
      sa.note('CREATE_CHILD_SA', 'failure' in agreed ? agreed.failure.reason : 'the peer gave an incomplete answer');
      sa.window.add(spiDelete(ask));
      if (this.#isWanted(sa)) this.#later(now, sa);
      return;
    }
    const nonces = { nonceI: this.#nonce, nonceR };
    const sharedSecret = agreed.esp.group === undefined ? undefined : secret;
    const seed = { ...nonces, ...(sharedSecret === undefined ? {} : { sharedSecret }), asked: true };
    const link = linkOf(payloads);
    if (agreed.esp.additional === undefined || link === undefined) {
      this.#takeOver(now, sa, makeChild(now, sa, agreed, ask.spi, seed), nonces);
    } else this.#followUp(now, sa, { agreed, seed, spi: ask.spi, additional: agreed.esp.additional, link });
  }

  /** Nothing is made yet: whoever has the lowest nonce does not go on (RFC 9370 section 2.2.4). */
  #followUp(now: Instant, sa: IkeSa, { agreed, seed, spi, additional, link }: ToFollow): void {
    const rival = sa.followUp?.subject === this.old ? sa.followUp.nonces : this.collision?.nonces;
    if (rival !== undefined && losesCollision(seed, rival) && this.#givesWay(now, sa)) return;
    dropFollowUp(sa, this.old);
    const conclude = (at: Instant, { secret: additionalSecret, payloads, error }: FollowUpResult) => {
      if (additionalSecret !== undefined) {
        this.#takeOver(at, sa, makeChild(at, sa, agreed, spi, { ...seed, additionalSecret }), seed);
      } else if (error !== undefined) this.#refused(at, sa, payloads, error);
      else {
        sa.note('IKE_FOLLOWUP_KE', 'the peer gave an incomplete answer');
        sa.window.add(spiDelete({ spi, proposals: [agreed.esp] }));
        if (this.#isWanted(sa)) this.#later(at, sa);
      }
    };
    sa.window.addFirst(new FollowUpKe(this, additional, link, conclude));
  }

  #takeOver(now: Instant, sa: IkeSa, child: Child, nonces: Nonces): void {
    const { old, collision } = this;
    const here = sa.children.has(old.sa.id);
    // One that the peer deleted without another in its place cannot have won, whatever the nonces say.
    const made = collision?.child;
    const rival = made !== undefined && (sa.children.has(made.sa.id) || made.replacedBy !== undefined);
    const replaced = here && old.state === 'replaced';
    const { followUp } = sa;
    if (here && followUp?.subject === old && losesCollision(nonces, followUp.nonces)) {
      // The peer goes on with its own.
      child.receiveOnly = true;
      sa.install(child);
      sa.window.add(childDelete(child));
      old.rekeyAt = followUp.until;
      return;
    }
    dropFollowUp(sa, old);
    if (rival && collision !== undefined ? losesCollision(nonces, collision.nonces) : replaced) {
      // The peer may send on it until it knows as much as we do.
      child.receiveOnly = true;
      const heir = old.replacedBy;
      sa.install(child, here ? old : undefined);
      if (heir !== undefined) leaveToPeer(now, old, heir);
      sa.window.add(childDelete(child));
      return;
    }
    sa.install(child, here ? old : undefined);
    if (rival && sa.children.has(made.sa.id)) leaveToPeer(now, made, child);
    if (!here || old.state === 'deleting') return;
    if (this.#fresh) sa.remove(now, old);
    else sa.window.add(childDelete(old));
  }
}

/** `child` was replaced, and it is for the peer to delete it. */
function leaveToPeer(now: Instant, child: Child, heir: Child): void {
  child.state = 'replaced';
  child.replacedBy = heir;
  child.rekeyAt = undefined;
  child.expiresAt = now + REPLACED_MS;
}

/**
 * Answers a request for a child SA, new or to replace one. @returns payloads of the response.
 * @throws DecodeError when it is incomplete.
 */
export function answerCreateChild(now: Instant, sa: IkeSa, payloads: readonly Payload[]): readonly Payload[] {
  if (!sa.established || sa.window.current?.duty === 'ike-rekey' || sa.peerRekey !== undefined) {
    return [notify('TEMPORARY_FAILURE')];
  }
  const rekey = findNotify(payloads, 'REKEY_SA');
  const old = rekey === undefined ? undefined : byOutboundSpi(sa, rekey);
  if (rekey !== undefined && old === undefined) return [notifyChild('CHILD_SA_NOT_FOUND', rekey.spi, rekey.protocol)];
  if (old !== undefined && !isReplaceable(old)) return [notify('TEMPORARY_FAILURE')];
  if (sa.children.size >= sa.host.limits.childrenPerIkeSa) return [notify('NO_ADDITIONAL_SAS')];
  const nonceI = find(payloads, 'Nonce')?.data.slice();
  if (nonceI === undefined) throw new DecodeError('CREATE_CHILD_SA without Nonce');
  const ke = find(payloads, 'KE');
  const agreed = judgeChildRequest(sa, payloads, true, ke === undefined ? undefined : groupName(ke.group));
  if ('answer' in agreed) {
    sa.note('CREATE_CHILD_SA', agreed.failure.reason);
    return [agreed.answer];
  }
  const { group, additional } = agreed.esp;
  if (group !== undefined && (ke === undefined || groupName(ke.group) !== group)) return [invalidKe(group)];
  const { host } = sa;
  const exchanged: { payload: PayloadOf<'KE'>; sharedSecret: Uint8Array } | undefined =
    group === undefined || ke === undefined ? undefined : answerKe(ke, host.random);
  const nonces = { nonceI, nonceR: host.random.bytes(NONCE_OCTETS) };
  const inboundSpi = host.newEspSpi();
  const seed = { ...nonces, ...(exchanged && { sharedSecret: exchanged.sharedSecret }), asked: false };
  const nonce = { kind: 'Nonce', data: nonces.nonceR } as const;
  const answer = answerPayloads(agreed, inboundSpi, exchanged === undefined ? [nonce] : [nonce, exchanged.payload]);
  const make = (at: Instant, made: ChildSeed) => {
    const child = makeChild(at, sa, agreed, inboundSpi, made);
    if (old === undefined) sa.install(child);
    else replaceForPeer(at, sa, old, child, nonces);
  };
  if (additional === undefined) {
    make(now, seed);
    return answer;
  }
  const conclude = (at: Instant, additionalSecret: Uint8Array) => {
    if (old !== undefined && (!sa.children.has(old.sa.id) || !isReplaceable(old))) return undefined;
    make(at, { ...seed, additionalSecret });
    return [];
  };
  return [...answer, awaitFollowUp(now, sa, { subject: old ?? 'new', nonces, additional, conclude })];
}

function isReplaceable(child: Child): boolean {
  return child.state === 'up' && child.replacedBy === undefined;
}

function replaceForPeer(now: Instant, sa: IkeSa, old: Child, child: Child, nonces: Nonces): void {
  // Sent on when the peer shows that it has it: by using it, or by deleting the old one (section 2.8).
  child.receiveOnly = true;
  sa.install(child, old);
  const current = rekeyUnderWay(sa);
  if (current instanceof CreateChild && current.old === old) current.collision = { child, nonces };
  else leaveToPeer(now, old, child);
}

function byOutboundSpi(sa: IkeSa, { spi, protocol }: NotifyPayload): Child | undefined {
  const number = spiNumber(spi);
  for (const child of sa.children.values()) {
    if (child.sa.outboundSpi === number && PROTOCOL[childProtocol(child.esp)] === protocol) return child;
  }
  return undefined;
}
