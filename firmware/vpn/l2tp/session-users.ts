/** Who the caller of one session is: how its proofs are judged, what it was granted, and what accounting says of it. */
import { utf8Bytes } from '../../protocol/bytes.ts';
import type { L2tpOutput } from '../../protocol/l2tp/endpoint-types.ts';
import type { RandomSource } from '../../protocol/machine.ts';
import type { PeerProof, Verdict } from '../../protocol/ppp/link-types.ts';
import { printable } from '../../protocol/printable.ts';
import { ACCT_AUTHENTIC, TERMINATE_CAUSE } from '../../protocol/radius/attribute-table.ts';
import type { RadiusAttribute } from '../../protocol/radius/attribute-value.ts';
import type { RadiusGrant } from '../../protocol/radius/grant.ts';
import { type CallFacts, callAttributes, type NasIdentity } from '../radius/nas.ts';
import { describeAnswer, type Judgement, type RadiusAnswer, SessionJudge } from '../radius/session-judge.ts';
import { localGrant, NOTHING_GRANTED, type ServerUser, type UserGrant } from './user-grant.ts';

/** What the sessions of a server have to know of RADIUS. */
export interface SessionRadius {
  readonly nas: NasIdentity;
  /** An Acct-Session-Id that no session has had, not even before a restart. */
  readonly sessionName: () => string;
  readonly accounting: boolean;
  /** Interval of interim updates, whatever the RADIUS server says, ms. */
  readonly interimMs?: number;
}

/** A user as accounting tells of it. */
export interface AccountedUser {
  /** Acct-Session-Id. */
  readonly session: string;
  readonly attributes: readonly RadiusAttribute[];
  /** Between interim updates, ms. */
  readonly interimMs: number;
}

/** Interval of interim updates when nobody says another, ms: the shortest that RFC 2869 section 5.16 likes. */
const INTERIM_MS = 600_000;

export class SessionUsers {
  readonly #configured: Readonly<Record<string, ServerUser>>;
  readonly #radius: SessionRadius | undefined;
  readonly #judge: SessionJudge | undefined;
  #call: CallFacts;
  /** The Acct-Session-Id of what is authenticated or up at present. */
  #session: string;
  #accounted = false;

  constructor(
    configured: Readonly<Record<string, ServerUser>>,
    radius: SessionRadius | undefined,
    call: CallFacts,
    random: RandomSource,
  ) {
    this.#configured = configured;
    this.#radius = radius;
    this.#call = call;
    this.#session = radius?.sessionName() ?? '';
    if (!radius) return;
    this.#judge = new SessionJudge({
      users: { password: (user) => this.#account(user)?.password },
      random,
      call: () => [...this.#callAttributes(radius), { name: 'acctSessionId', value: utf8Bytes(this.#session) }],
    });
  }

  /** How the link shall judge its peer. */
  get judge(): { readonly judge: 'elsewhere' } | { readonly password: (user: string) => string | undefined } {
    return this.#judge ? { judge: 'elsewhere' } : { password: (user) => this.#account(user)?.password };
  }

  /** The call stands, and has told what it knows of the caller. */
  called({ callingNumber, calledNumber }: Extract<L2tpOutput, { kind: 'session-up' }>): void {
    this.#call = {
      ...this.#call,
      ...(callingNumber === undefined ? {} : { callingNumber }),
      ...(calledNumber === undefined ? {} : { calledNumber }),
    };
  }

  /** Those of the configuration are judged here; a RADIUS server is to be asked about all others. */
  judgeProof(proof: PeerProof): Judgement & { readonly words: string } {
    const judgement = this.#judge?.judge(proof) ?? { kind: 'verdict' as const, verdict: { kind: 'reject' as const } };
    return { ...judgement, words: `who is ${printable(proof.name)}?` };
  }

  answered(answer: RadiusAnswer): { readonly verdict: Verdict; readonly words: string } {
    const verdict = this.#judge?.answered(answer) ?? { kind: 'reject' as const };
    return { verdict, words: describeAnswer(answer) };
  }

  /** Nobody answers any more; a conversation that was begun is over. */
  unanswered(): void {
    this.#judge?.unanswered();
  }

  /** What the user gets; `fromOutside` is still to be held against what is here. */
  granted(user: string | undefined): { readonly grant: UserGrant; readonly fromOutside?: RadiusGrant } {
    const fromOutside = this.#judge?.grant;
    if (fromOutside) return { grant: fromOutside, fromOutside };
    const account = user === undefined ? undefined : this.#account(user);
    return { grant: account ? localGrant(account) : NOTHING_GRANTED };
  }

  /** The user is up. @returns what accounting shall tell; `undefined` when nobody is to be told. */
  begin(user: string, address: string, grant: UserGrant): AccountedUser | undefined {
    const radius = this.#radius;
    if (!radius?.accounting) return undefined;
    this.#accounted = true;
    const { ipv6Prefix, classes, interimInterval } = grant;
    const name = grant.userName ?? utf8Bytes(user);
    const authentic = this.#judge?.grant ? ACCT_AUTHENTIC.radius : ACCT_AUTHENTIC.local;
    const attributes: RadiusAttribute[] = [
      ...(name.length === 0 ? [] : [{ name: 'userName' as const, value: name }]),
      ...this.#callAttributes(radius),
      { name: 'framedIpAddress', value: address },
      ...(ipv6Prefix === undefined ? [] : [{ name: 'framedIpv6Prefix' as const, value: ipv6Prefix }]),
      { name: 'acctAuthentic', value: authentic },
      ...classes.map((value) => ({ name: 'class' as const, value })),
    ];
    const interimMs = radius.interimMs ?? (interimInterval === undefined ? INTERIM_MS : interimInterval * 1000);
    return { session: this.#session, attributes, interimMs };
  }

  /**
   * The user is down.
   * @param cause Acct-Terminate-Cause; absent: the user's doing.
   * @returns what accounting shall tell.
   */
  finish(
    cause: number = TERMINATE_CAUSE.userRequest,
  ): { readonly session: string; readonly cause: number } | undefined {
    if (!this.#accounted) return undefined;
    const session = this.#session;
    this.#accounted = false;
    this.#session = this.#radius?.sessionName() ?? '';
    return { session, cause };
  }

  #account(user: string): ServerUser | undefined {
    // Names come from strangers: `constructor` and its like are nobody's account.
    return Object.hasOwn(this.#configured, user) ? this.#configured[user] : undefined;
  }

  #callAttributes({ nas }: SessionRadius): readonly RadiusAttribute[] {
    return callAttributes(nas, this.#call);
  }
}
