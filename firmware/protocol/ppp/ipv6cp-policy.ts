/** What is asked for and granted in IPv6CP (RFC 5072 section 4.1); both roles negotiate alike. */
import type { Failure, RandomSource } from '../machine.ts';
import {
  INTERFACE_IDENTIFIER_OCTETS,
  isZero,
  randomInterfaceIdentifier,
  sameIdentifier,
} from './interface-identifier.ts';
import type { Ipv6cpPolicy } from './link-types.ts';
import type { Judgement, NegotiationPolicy } from './negotiation-types.ts';
import { type ConfigurationOption, IPV6CP_INTERFACE_IDENTIFIER } from './options.ts';

/** The IPv6 side of an opened link. */
export interface Ipv6Agreement {
  /** Eight octets, neither zero nor equal to the other. */
  readonly localInterfaceId: Uint8Array;
  readonly peerInterfaceId: Uint8Array;
}

export class Ipv6cpOptions implements NegotiationPolicy {
  readonly #random: RandomSource;
  /** In our next Configure-Request. It stays over renegotiations, unless the peer had it too. */
  #local: Uint8Array;
  /** For a peer that has none, or ours; the same one as long as it is of use. */
  #suggestion: Uint8Array;
  /** What the last Configure-Nak to the peer suggested: the same from the peer comes out of a mirror. */
  #suggested: Uint8Array | undefined;
  #peer: Uint8Array | undefined;
  #toldMissing = false;

  constructor(policy: Ipv6cpPolicy, random: RandomSource) {
    this.#random = random;
    this.#local = policy.interfaceId ?? randomInterfaceIdentifier(random);
    this.#suggestion = policy.peerInterfaceId ?? randomInterfaceIdentifier(random);
  }

  /** `undefined` while the peer has not named its identifier. */
  get agreement(): Ipv6Agreement | undefined {
    const peerInterfaceId = this.#peer;
    return peerInterfaceId === undefined ? undefined : { localInterfaceId: this.#local, peerInterfaceId };
  }

  reset(): void {
    this.#suggested = undefined;
    this.#peer = undefined;
    this.#toldMissing = false;
  }

  request(): readonly ConfigurationOption[] {
    return [identifierOption(this.#local)];
  }

  judge({ type, data }: ConfigurationOption): Judgement {
    if (type !== IPV6CP_INTERFACE_IDENTIFIER) return 'reject';
    const usable = data.length === INTERFACE_IDENTIFIER_OCTETS && !isZero(data) && !sameIdentifier(data, this.#local);
    return usable ? 'ack' : { nak: this.#suggest() };
  }

  /** A peer that names none is given one, and told so once: without it nobody knows whom to expect. */
  missing(options: readonly ConfigurationOption[]): readonly ConfigurationOption[] {
    if (this.#toldMissing || options.some(({ type }) => type === IPV6CP_INTERFACE_IDENTIFIER)) return [];
    this.#toldMissing = true;
    return [this.#suggest()];
  }

  accept(options: readonly ConfigurationOption[]): void {
    this.#peer = options.findLast(({ type }) => type === IPV6CP_INTERFACE_IDENTIFIER)?.data;
  }

  acknowledged(): Failure | undefined {
    return undefined;
  }

  refused(kind: 'nak' | 'reject', options: readonly ConfigurationOption[]): Failure | undefined {
    const answer = options.find(({ type }) => type === IPV6CP_INTERFACE_IDENTIFIER);
    if (answer === undefined) return undefined;
    if (kind === 'reject') return noIdentifierFailure();
    const given = answer.data;
    const ofNoUse = given.length !== INTERFACE_IDENTIFIER_OCTETS || isZero(given) || this.#isTaken(given);
    this.#local = ofNoUse ? randomInterfaceIdentifier(this.#random) : given;
    return undefined;
  }

  /** The peer's own, or what we have just told the peer to take (RFC 5072 section 4.1: a looped-back Configure-Nak). */
  #isTaken(identifier: Uint8Array): boolean {
    return [this.#suggested, this.#peer].some((one) => one !== undefined && sameIdentifier(one, identifier));
  }

  #suggest(): ConfigurationOption {
    if (sameIdentifier(this.#suggestion, this.#local)) this.#suggestion = randomInterfaceIdentifier(this.#random);
    this.#suggested = this.#suggestion;
    return identifierOption(this.#suggestion);
  }
}

function identifierOption(identifier: Uint8Array): ConfigurationOption {
  return { type: IPV6CP_INTERFACE_IDENTIFIER, data: identifier };
}

function noIdentifierFailure(): Failure {
  return {
    step: 'IPV6CP',
    reason: 'the peer refused to talk about our interface identifier, without which there is no IPv6 address',
    remedy: 'check the IPv6 settings for this user at the peer',
  };
}
