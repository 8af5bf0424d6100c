/**
 * Judges what one caller proved itself with: users of the configuration here, all others by asking a RADIUS server (RFC
 * 2865 section 2, RFC 3579 section 2). Without hands: it says what shall be asked, and what an answer means.
 */
import { DecodeError } from '../../protocol/bytes.ts';
import type { Failure, RandomSource } from '../../protocol/machine.ts';
import { findUser, type UserDirectory } from '../../protocol/ppp/authentication.ts';
import type { PeerProof, Verdict } from '../../protocol/ppp/link-types.ts';
import { judgeLocally } from '../../protocol/ppp/local-judge.ts';
import { firstValue, type RadiusAttribute } from '../../protocol/radius/attribute-value.ts';
import { type RadiusGrant, readGrant, replyMessage } from '../../protocol/radius/grant.ts';
import { CODE, codeName } from '../../protocol/radius/packet.ts';
import { joinEap, msChapError, msChapSuccess, proofAttributes } from '../../protocol/radius/proof-attributes.ts';

/** What a RADIUS server answered. */
export interface RadiusAnswer {
  readonly code: number;
  readonly attributes: readonly RadiusAttribute[];
  /** Which server; it alone understands an answer to its challenge. */
  readonly server: number;
}

export type Judgement =
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  | { readonly kind: 'ask'; readonly attributes: readonly RadiusAttribute[]; readonly server?: number };

export interface SessionJudgeOptions {
  /** Users of the configuration: they are judged here, and no server is asked about them. EAP cannot be judged here. */
  readonly users: UserDirectory;
  readonly random: RandomSource;
  /** What is said of the call in every question. */
  readonly call: () => readonly RadiusAttribute[];
}

/** Challenges in one conversation, at most: EAP methods need a dozen; a loop must end. */
const MAX_ROUNDS = 50;

/** Codes of EAP (RFC 3748 section 4). */
const EAP_SUCCESS = 3;
const EAP_FAILURE = 4;

const NO_PROOF_OF_SERVER: Failure = {
  step: 'RADIUS',
  reason: 'the RADIUS server accepted the user without the proof that MS-CHAPv2 owes the user (MS-CHAP2-Success)',
  remedy: 'let the RADIUS server do MS-CHAP itself, and not accept by a rule of another kind',
};

export class SessionJudge {
  readonly #options: SessionJudgeOptions;
  #proof: PeerProof | undefined;
  /** What the server wants to see again with the next answer of the peer. */
  #challenge: { readonly state: Uint8Array | undefined; readonly server: number } | undefined;
  #rounds = 0;
  #grant: RadiusGrant | undefined;

  constructor(options: SessionJudgeOptions) {
    this.#options = options;
  }

  /** What the last accepted proof was granted by RADIUS; `undefined` for a user of the configuration. */
  get grant(): RadiusGrant | undefined {
    return this.#grant;
  }

  judge(proof: PeerProof): Judgement {
    this.#grant = undefined;
    const { users, random } = this.#options;
    if (proof.method !== 'eap' && findUser(users, proof.name, random).exists) {
      return { kind: 'verdict', verdict: judgeLocally(users, proof, random) };
    }
    // A conversation of EAP goes on with the server that began it; everything else begins anew.
    const goesOn = proof.method === 'eap' && this.#proof?.method === 'eap' && this.#challenge !== undefined;
    const challenge = goesOn ? this.#challenge : undefined;
    this.#rounds = goesOn ? this.#rounds + 1 : 0;
    this.#proof = proof;
    this.#challenge = undefined;
    if (this.#rounds > MAX_ROUNDS) return { kind: 'verdict', verdict: this.#reject(undefined) };
    let proved: readonly RadiusAttribute[];
    try {
      proved = proofAttributes(proof);
    } catch (error) {
      if (error instanceof DecodeError) return { kind: 'verdict', verdict: this.#reject(undefined) };
      throw error;
    }
    const attributes: RadiusAttribute[] = [...proved, ...this.#options.call()];
    if (challenge?.state) attributes.push({ name: 'state', value: challenge.state });
    return { kind: 'ask', attributes, ...(challenge ? { server: challenge.server } : {}) };
  }

  answered({ code, attributes, server }: RadiusAnswer): Verdict {
    const proof = this.#proof;
    const packet = joinEap(attributes);
    switch (code) {
      case CODE.accessAccept:
        return this.#accept(attributes);
      case CODE.accessChallenge:
        // Only EAP can carry a challenge to the peer; to all others it is a refusal (RFC 2865 section 4.4).
        if (proof?.method !== 'eap' || packet === undefined) return this.#reject(attributes);
        this.#challenge = { state: firstValue(attributes, 'state'), server };
        return { kind: 'continue', packet };
      default:
        return this.#reject(attributes);
    }
  }

  /** Nobody answered; a conversation that was begun is over. */
  unanswered(): void {
    this.#challenge = undefined;
  }

  #accept(attributes: readonly RadiusAttribute[]): Verdict {
    const proof = this.#proof;
    if (!proof) return { kind: 'reject' };
    const success = msChapSuccess(attributes);
    if (proof.method === 'mschapv2' && success === undefined) {
      return { kind: 'unavailable', failure: NO_PROOF_OF_SERVER };
    }
    this.#grant = readGrant(attributes);
    const message = proof.method === 'mschapv2' ? success : replyMessage(attributes);
    const user = nameText(proof.name);
    if (proof.method !== 'eap') return { kind: 'accept', user, ...(message === undefined ? {} : { message }) };
    return { kind: 'accept', user, packet: lastWord(proof.packet, joinEap(attributes), EAP_SUCCESS) };
  }

  #reject(attributes: readonly RadiusAttribute[] | undefined): Verdict {
    const proof = this.#proof;
    if (proof?.method === 'eap') {
      const packet = attributes === undefined ? undefined : joinEap(attributes);
      return { kind: 'reject', packet: lastWord(proof.packet, packet, EAP_FAILURE) };
    }
    if (attributes === undefined) return { kind: 'reject' };
    const microsoft = proof?.method.startsWith('mschap') === true;
    const message = microsoft ? finalError(msChapError(attributes)) : replyMessage(attributes);
    return { kind: 'reject', ...(message === undefined ? {} : { message }) };
  }
}

/** The packet of the server when it says what its code says, else one that does (RFC 3579 section 2.6.3). */
function lastWord(asked: Uint8Array, packet: Uint8Array | undefined, code: number): Uint8Array {
  return packet?.[0] === code ? packet : Uint8Array.of(code, asked[1] ?? 0, 0, 4);
}

/** This router gives no second chance on the same challenge (RFC 2759 section 6). */
function finalError(error: string | undefined): string | undefined {
  return error?.replace(/(^|\s)R=1(?=\s|$)/, '$1R=0');
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** A name as it came, not yet fit to print: UTF-8, or else Latin-1. */
function nameText(name: Uint8Array): string {
  try {
    return utf8.decode(name);
  } catch {
    return Buffer.from(name).toString('latin1');
  }
}

/** What a RADIUS server said, for the log. */
export function describeAnswer({ code, attributes }: RadiusAnswer): string {
  const message = replyMessage(attributes);
  return `${codeName(code)}${message === undefined ? '' : `: ${message}`}`;
}
