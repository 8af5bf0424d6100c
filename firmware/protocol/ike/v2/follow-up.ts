/**
 * IKE_FOLLOWUP_KE: the additional key exchange behind CREATE_CHILD_SA (RFC 9370 section 2.2.4). What CREATE_CHILD_SA has agreed
 * on stands once this is done, and not before.
 */
import { DecodeError } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import { createDecapsulator, type Decapsulator, encapsulateTo } from '../crypto/ml-kem.ts';
import { equalSecrets, wipe } from '../crypto/secrets.ts';
import { transform } from '../transforms.ts';
import type { Child } from './child.ts';
import { DONE, type Exchange, type Finished, type ReceivedResponse } from './exchange.ts';
import type { IkeSa } from './ike-sa.ts';
import { findError, findNotify, type NotifyPayload, notify } from './notify.ts';
import { find, type Payload } from './payload.ts';

/** How long the peer may take to go on, ms. Then what was agreed on is forgotten, and it begins anew. */
const AWAITED_MS = 60_000;

/** How long a rekey of this side waits while one of the peer's is under way, ms. */
export const GIVE_WAY_MS = 2000;

const LINK_OCTETS = 16;

/** What a rekey is to replace; `new`: nothing. */
export type Subject = Child | 'ike' | 'new';

/** What the peer's CREATE_CHILD_SA has led to so far. */
interface Agreed {
  readonly subject: Subject;
  readonly nonces: { readonly nonceI: Uint8Array; readonly nonceR: Uint8Array };
  /** Name of the additional key exchange. */
  readonly additional: string;
  /** Makes the SA. @returns payloads of the answer beside KE; `undefined`: there is nothing to replace any more. */
  conclude(now: Instant, secret: Uint8Array): readonly Payload[] | undefined;
  /** It comes to nothing. */
  drop?(): void;
}

/** That, and how the peer refers to it. */
export interface FollowUp extends Agreed {
  readonly link: Uint8Array;
  /** When it is forgotten. */
  readonly until: Instant;
}

/** As responder: what is left to be done is the peer's to begin. One at a time: another one takes its place. */
export function awaitFollowUp(now: Instant, sa: IkeSa, agreed: Agreed): NotifyPayload {
  dropFollowUp(sa);
  const link = sa.host.random.bytes(LINK_OCTETS);
  sa.followUp = { ...agreed, link, until: now + AWAITED_MS };
  return notify('ADDITIONAL_KEY_EXCHANGE', link);
}

/** @param subject only what is about this. */
export function dropFollowUp(sa: IkeSa, subject?: Subject): void {
  const { followUp } = sa;
  if (followUp === undefined || (subject !== undefined && followUp.subject !== subject)) return;
  sa.followUp = undefined;
  followUp.drop?.();
}

/**
 * Answers the request. @returns payloads of the response.
 * @throws DecodeError when it is not the key exchange that was agreed on.
 */
export function answerFollowUp(now: Instant, sa: IkeSa, payloads: readonly Payload[]): readonly Payload[] {
  const { followUp } = sa;
  const link = findNotify(payloads, 'ADDITIONAL_KEY_EXCHANGE')?.data;
  if (!sa.established || followUp === undefined || link === undefined || !equalSecrets(link, followUp.link)) {
    return [notify('STATE_NOT_FOUND')];
  }
  const group = transform('additional', followUp.additional).v2;
  const ke = find(payloads, 'KE');
  if (ke?.group !== group) throw new DecodeError('IKE_FOLLOWUP_KE without the key exchange');
  const { ciphertext, sharedSecret } = encapsulateTo(ke.data);
  sa.followUp = undefined;
  const more = followUp.conclude(now, sharedSecret);
  wipe(sharedSecret);
  if (more !== undefined) return [{ kind: 'KE', group, data: ciphertext }, ...more];
  followUp.drop?.();
  return [notify('STATE_NOT_FOUND')];
}

/** What a rekey makes of the end of its follow-up. */
export interface FollowUpResult {
  readonly payloads: readonly Payload[];
  /** What both sides know; absent when it came to nothing. */
  readonly secret?: Uint8Array;
  /** Type of the notify with which the peer refused. */
  readonly error?: number;
}

/** As initiator: the exchange that `of` has led to. */
export class FollowUpKe implements Exchange {
  readonly name = 'IKE_FOLLOWUP_KE';
  readonly duty: Exchange['duty'];
  readonly of: Exchange;
  readonly #link: Uint8Array;
  readonly #group: number;
  readonly #done: (now: Instant, result: FollowUpResult) => void;
  #exchange: Decapsulator | undefined;

  constructor(
    of: Exchange,
    additional: string,
    link: Uint8Array,
    done: (now: Instant, result: FollowUpResult) => void,
  ) {
    this.of = of;
    this.duty = of.duty;
    this.#link = link.slice();
    this.#group = transform('additional', additional).v2;
    this.#done = done;
  }

  begin(_now: Instant, sa: IkeSa): readonly Payload[] {
    this.#exchange = createDecapsulator(sa.host.random);
    return [
      { kind: 'KE', group: this.#group, data: this.#exchange.publicValue },
      notify('ADDITIONAL_KEY_EXCHANGE', this.#link),
    ];
  }

  finish(now: Instant, _sa: IkeSa, { payloads }: ReceivedResponse): Finished {
    const error = findError(payloads)?.type;
    const secret = error === undefined ? this.#secret(payloads) : undefined;
    this.#done(now, {
      payloads,
      ...(error === undefined ? {} : { error }),
      ...(secret === undefined ? {} : { secret }),
    });
    if (secret !== undefined) wipe(secret);
    return DONE;
  }

  unanswered(now: Instant, sa: IkeSa): void {
    this.of.unanswered?.(now, sa);
  }

  #secret(payloads: readonly Payload[]): Uint8Array | undefined {
    const ke = find(payloads, 'KE');
    try {
      return ke?.group === this.#group ? this.#exchange?.sharedSecret(ke.data) : undefined;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return undefined;
    }
  }
}

/** The link of an answer to CREATE_CHILD_SA. */
export function linkOf(payloads: readonly Payload[]): Uint8Array | undefined {
  return findNotify(payloads, 'ADDITIONAL_KEY_EXCHANGE')?.data;
}

/** CREATE_CHILD_SA of this side that is under way, in whichever of its exchanges. */
export function rekeyUnderWay({ window: { current } }: IkeSa): Exchange | undefined {
  return current instanceof FollowUpKe ? current.of : current;
}
