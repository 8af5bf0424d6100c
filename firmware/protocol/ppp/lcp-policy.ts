/** What LCP asks for and what it grants: the Configuration Options of RFC 1661 section 6 and RFC 1662 section 7.1. */
import type { Failure, RandomSource } from '../machine.ts';
import {
  authenticationTitle,
  bestFirst,
  DEFAULT_METHODS,
  methodOf,
  methodTitle,
  methodTitles,
  methodValue,
} from './authentication-methods.ts';
import type { PppAuthentication, PppLinkOptions, PppMedium } from './link-types.ts';
import type { Judgement, NegotiationPolicy } from './negotiation-types.ts';
import {
  type ConfigurationOption,
  flagValue,
  LCP_ACCM,
  LCP_ACFC,
  LCP_AUTHENTICATION_PROTOCOL,
  LCP_MAGIC_NUMBER,
  LCP_MRU,
  LCP_PFC,
  protocolValue,
  u16Value,
  u32Value,
  valueOrUndefined,
} from './options.ts';

/** RFC 1661 section 6.1: what either side receives unless it says otherwise, octets. */
export const DEFAULT_MRU = 1500;
/** Below this no IP packet worth sending fits, octets. */
const MIN_MRU = 128;
/**
 * How often our own Magic-Number may come back before the link counts as looped. Twice by chance is a matter of 2^-64
 * (RFC 1661 section 6.4), and a loop answers at once.
 */
const MAX_LOOPS = 5;
/** How often a peer may repeat a demand for authentication that was rejected outright. */
const MAX_DEMANDS = 3;

/** What we ask of the peer. */
interface Asked {
  mru: number | undefined;
  authentication: PppAuthentication | undefined;
  /** 0: not asked for. */
  magic: number;
  /** On a serial line; `undefined`: not asked for. */
  accm: number | undefined;
  pfc: boolean;
  acfc: boolean;
}

const NOTHING_ASKED: Asked = {
  mru: undefined,
  authentication: undefined,
  magic: 0,
  accm: undefined,
  pfc: false,
  acfc: false,
};

/** What the peer asked for and was granted. */
export interface PeerLcpOptions {
  /** Octets. */
  readonly mru: number;
  /** What the peer wants us to prove ourselves by. */
  readonly authentication: PppAuthentication | undefined;
  /** 0: not negotiated. */
  readonly magic: number;
  /** Control characters that are to be escaped, bit n for octet n (RFC 1662 section 7.1). */
  readonly accm: number;
  readonly pfc: boolean;
  readonly acfc: boolean;
}

const PEER_DEFAULTS: PeerLcpOptions = {
  mru: DEFAULT_MRU,
  authentication: undefined,
  magic: 0,
  accm: 0xffffffff,
  pfc: false,
  acfc: false,
};

export class LcpPolicy implements NegotiationPolicy {
  readonly #options: PppLinkOptions;
  readonly #random: RandomSource;
  readonly #allowed: readonly PppAuthentication[];
  #asked: Asked;
  #peer: PeerLcpOptions = PEER_DEFAULTS;
  /** Methods that the peer would not take from us as authenticator. */
  readonly #declined = new Set<PppAuthentication>();
  /** Suggestions made, or rejections sent, for the authentication that the peer demands. */
  #demands = 0;
  #loops = 0;
  #grievance: Failure | undefined;

  constructor(options: PppLinkOptions, random: RandomSource) {
    this.#options = options;
    this.#random = random;
    this.#allowed =
      options.authenticatee === undefined ? [] : bestFirst(options.authenticatee.methods ?? DEFAULT_METHODS);
    this.#asked = this.#firstAsk();
  }

  /** What the peer was granted. Meaningful once LCP is opened. */
  get peer(): PeerLcpOptions {
    return this.#peer;
  }

  /** Our Magic-Number; 0 when the peer would have none. */
  get magic(): number {
    return this.#asked.magic;
  }

  /** How the peer has to prove itself. Meaningful once LCP is opened. */
  get peerAuthentication(): PppAuthentication | undefined {
    return this.#asked.authentication;
  }

  /** What stands between the two sides, when something does: the reason if the peer now gives up. */
  get grievance(): Failure | undefined {
    return this.#grievance;
  }

  reset(): void {
    this.#asked = this.#firstAsk();
    this.#peer = PEER_DEFAULTS;
    this.#declined.clear();
    this.#demands = 0;
    this.#grievance = undefined;
  }

  /**
   * Takes over what another negotiated in our place (RFC 2661 section 4.4.5).
   * @param sent what it asked of the peer, and got; each must be what we might have asked for.
   * @param received what the peer asked for; each must be what we would acknowledge.
   * @returns false, and nothing is taken over, when there is anything else.
   */
  adopt(sent: readonly ConfigurationOption[], received: readonly ConfigurationOption[]): boolean {
    const asked = this.#askedBy(sent);
    if (asked !== undefined && areDistinct(received)) {
      this.#asked = asked;
      if (received.every((option) => this.judge(option) === 'ack')) {
        this.accept(received);
        return true;
      }
    }
    this.#loops = 0;
    this.reset();
    return false;
  }

  request(): readonly ConfigurationOption[] {
    const { mru, authentication, accm, magic, pfc, acfc } = this.#asked;
    const options: ConfigurationOption[] = [];
    if (mru !== undefined) options.push({ type: LCP_MRU, data: u16Value.encode(mru) });
    if (authentication !== undefined) options.push(authenticationOption(authentication));
    if (accm !== undefined) options.push({ type: LCP_ACCM, data: u32Value.encode(accm) });
    if (magic !== 0) options.push({ type: LCP_MAGIC_NUMBER, data: u32Value.encode(magic) });
    if (pfc) options.push({ type: LCP_PFC, data: flagValue.encode(true) });
    if (acfc) options.push({ type: LCP_ACFC, data: flagValue.encode(true) });
    return options;
  }

  judge(option: ConfigurationOption): Judgement {
    switch (option.type) {
      case LCP_MRU: {
        const mru = valueOrUndefined(u16Value, option);
        if (mru !== undefined && mru >= MIN_MRU) return 'ack';
        return { nak: { type: LCP_MRU, data: u16Value.encode(mru === undefined ? DEFAULT_MRU : MIN_MRU) } };
      }
      case LCP_ACCM:
        if (this.#medium === 'pppoe') return 'reject';
        // Nothing is escaped but on a serial line, so any map will do.
        return valueOrUndefined(u32Value, option) === undefined ? nakU32(LCP_ACCM, 0) : 'ack';
      case LCP_AUTHENTICATION_PROTOCOL:
        return this.#judgeAuthentication(option);
      case LCP_MAGIC_NUMBER:
        return this.#judgeMagic(option);
      case LCP_PFC:
        return option.data.length === 0 ? 'ack' : 'reject';
      case LCP_ACFC:
        return option.data.length === 0 && this.#medium !== 'pppoe' ? 'ack' : 'reject';
      default:
        // Quality-Protocol, MRRU, Endpoint-Discriminator, Callback ... and whatever comes after them.
        return 'reject';
    }
  }

  missing(): readonly ConfigurationOption[] {
    return [];
  }

  accept(options: readonly ConfigurationOption[]): void {
    const peer: { -readonly [Key in keyof PeerLcpOptions]: PeerLcpOptions[Key] } = { ...PEER_DEFAULTS };
    for (const option of options) {
      if (option.type === LCP_MRU) peer.mru = u16Value.decode(option.data);
      else if (option.type === LCP_MAGIC_NUMBER) peer.magic = u32Value.decode(option.data);
      else if (option.type === LCP_ACCM) peer.accm = u32Value.decode(option.data);
      else if (option.type === LCP_PFC) peer.pfc = true;
      else if (option.type === LCP_ACFC) peer.acfc = true;
      else if (option.type === LCP_AUTHENTICATION_PROTOCOL) {
        peer.authentication = methodOf(protocolValue.decode(option.data));
      }
    }
    this.#peer = peer;
    this.#grievance = undefined;
    this.#loops = 0;
  }

  acknowledged(): Failure | undefined {
    return undefined;
  }

  refused(kind: 'nak' | 'reject', options: readonly ConfigurationOption[]): Failure | undefined {
    for (const option of options) {
      const failure = kind === 'nak' ? this.#nakked(option) : this.#rejected(option);
      if (failure !== undefined) return failure;
    }
    return undefined;
  }

  get #medium(): PppMedium {
    return this.#options.medium ?? 'tunnel';
  }

  /** Whether we ask for compressed headers. */
  get #compresses(): boolean {
    return this.#medium !== 'pppoe' && this.#options.compressHeaders !== false;
  }

  #firstAsk(): Asked {
    const { mru, authenticator } = this.#options;
    return {
      mru: mru === DEFAULT_MRU ? undefined : mru,
      authentication: authenticator?.methods[0],
      magic: this.#newMagic(),
      accm: this.#medium === 'serial' ? 0 : undefined,
      pfc: this.#compresses,
      acfc: this.#compresses,
    };
  }

  /** What these options ask of the peer; `undefined` when we would never have asked for it. */
  #askedBy(options: readonly ConfigurationOption[]): Asked | undefined {
    if (!areDistinct(options)) return undefined;
    const { authenticator } = this.#options;
    const asked: Asked = { ...NOTHING_ASKED };
    for (const option of options) {
      if (option.type === LCP_MRU) asked.mru = valueOrUndefined(u16Value, option) ?? 0;
      else if (option.type === LCP_MAGIC_NUMBER) asked.magic = valueOrUndefined(u32Value, option) ?? 0;
      else if (option.type === LCP_PFC) asked.pfc = true;
      else if (option.type === LCP_ACFC) asked.acfc = true;
      else if (option.type === LCP_AUTHENTICATION_PROTOCOL) {
        const value = valueOrUndefined(protocolValue, option);
        asked.authentication = value && methodOf(value);
        if (asked.authentication === undefined) return undefined;
      } else if (option.type !== LCP_ACCM || valueOrUndefined(u32Value, option) === undefined) return undefined;
      if (option.type === LCP_MAGIC_NUMBER && asked.magic === 0) return undefined;
      if ((option.type === LCP_PFC || option.type === LCP_ACFC) && option.data.length > 0) return undefined;
    }
    const { mru = DEFAULT_MRU, authentication } = asked;
    if (mru < MIN_MRU || mru > Math.max(DEFAULT_MRU, this.#options.mru)) return undefined;
    if ((asked.pfc || asked.acfc) && !this.#compresses) return undefined;
    const methods = authenticator?.methods ?? [];
    const fits = authentication === undefined ? methods.length === 0 : methods.includes(authentication);
    return fits ? asked : undefined;
  }

  #judgeAuthentication(option: ConfigurationOption): Judgement {
    const wanted = valueOrUndefined(protocolValue, option);
    const method = wanted === undefined ? undefined : methodOf(wanted);
    if (method !== undefined && this.#allowed.includes(method)) return this.#instead(method);
    const title = wanted === undefined ? 'an authentication that cannot be read' : authenticationTitle(wanted);
    this.#grievance = this.#demandFailure(title);
    const suggestion = this.#allowed[this.#demands];
    this.#demands += 1;
    if (suggestion !== undefined) return { nak: authenticationOption(suggestion) };
    if (this.#allowed.length === 0 && this.#demands <= MAX_DEMANDS) return 'reject';
    return { fail: this.#grievance };
  }

  /**
   * A server that asks for EAP first often has nothing in it but certificates, and MS-CHAPv2 beside it (RRAS is one): it is
   * asked once for that, and gets EAP where it insists.
   */
  #instead(method: PppAuthentication): Judgement {
    if (method !== 'eap' || this.#demands > 0 || !this.#allowed.includes('mschapv2')) return 'ack';
    this.#demands += 1;
    this.#grievance = {
      step: 'authentication',
      reason: 'the peer wants EAP, and gave up when this side suggested MS-CHAPv2 instead',
      remedy: 'let this side be willing to do EAP and nothing else',
    };
    return { nak: authenticationOption('mschapv2') };
  }

  #demandFailure(title: string): Failure {
    if (this.#allowed.length === 0) {
      return {
        step: 'authentication',
        reason: `the peer demands that we prove who we are (${title}), but no user and password are configured`,
        remedy: 'configure the user name and password that the peer expects',
      };
    }
    return {
      step: 'authentication',
      reason: `the peer demands ${title}, but this side allows only ${methodTitles(this.#allowed)}`,
      remedy: `allow ${title} on this side if it is offered here, or ${methodTitles(this.#allowed)} at the peer`,
    };
  }

  #judgeMagic(option: ConfigurationOption): Judgement {
    const magic = valueOrUndefined(u32Value, option);
    if (magic === undefined || magic === 0) return nakU32(LCP_MAGIC_NUMBER, this.#newMagic());
    if (magic !== this.#asked.magic) return 'ack';
    this.#loops += 1;
    if (this.#loops >= MAX_LOOPS) return { fail: loopFailure() };
    return nakU32(LCP_MAGIC_NUMBER, this.#newMagic(magic));
  }

  #nakked(option: ConfigurationOption): Failure | undefined {
    switch (option.type) {
      case LCP_MRU: {
        const suggested = valueOrUndefined(u16Value, option);
        const smaller = suggested !== undefined && suggested >= MIN_MRU && suggested < (this.#asked.mru ?? DEFAULT_MRU);
        // Every implementation must be able to receive the default (RFC 1661 section 6.1), so that is the way out.
        this.#asked.mru = smaller ? suggested : undefined;
        return undefined;
      }
      case LCP_AUTHENTICATION_PROTOCOL:
        return this.#methodNakked(option);
      case LCP_MAGIC_NUMBER:
        if (this.#asked.magic !== 0) this.#asked.magic = this.#newMagic(this.#asked.magic);
        return undefined;
      case LCP_ACCM:
        return this.#accmNakked(option);
      case LCP_PFC:
        this.#asked.pfc = false;
        return undefined;
      case LCP_ACFC:
        this.#asked.acfc = false;
        return undefined;
      default:
        return undefined;
    }
  }

  /** The peer wants to escape more than we asked for (RFC 1662 section 7.1), and may: escaped octets are always read. */
  #accmNakked(option: ConfigurationOption): undefined {
    if (this.#asked.accm !== undefined) this.#asked.accm |= valueOrUndefined(u32Value, option) ?? 0xffffffff;
    if (this.#asked.accm !== undefined) this.#asked.accm >>>= 0;
  }

  #methodNakked(option: ConfigurationOption): Failure | undefined {
    const asked = this.#asked.authentication;
    // A peer that would like us to ask for authentication, where we do not care, is left to its wish.
    if (asked === undefined) return undefined;
    this.#declined.add(asked);
    const methods = this.#options.authenticator?.methods ?? [];
    const left = methods.filter((method) => !this.#declined.has(method));
    const value = valueOrUndefined(protocolValue, option);
    const suggestion = value === undefined ? undefined : methodOf(value);
    const next = left.find((method) => method === suggestion) ?? left[0];
    if (next !== undefined) {
      this.#asked.authentication = next;
      return undefined;
    }
    const wish = value === undefined ? 'something that cannot be read' : authenticationTitle(value);
    return {
      step: 'authentication',
      reason: `this side asks the peer for ${methodTitles(methods)}, but the peer would only do ${wish}`,
      remedy: `allow ${methodTitles(methods)} at the peer, or ${wish} on this side if it is offered here`,
    };
  }

  #rejected(option: ConfigurationOption): Failure | undefined {
    switch (option.type) {
      case LCP_MRU:
        this.#asked.mru = undefined;
        return undefined;
      case LCP_AUTHENTICATION_PROTOCOL: {
        const asked = this.#asked.authentication;
        const wish = asked === undefined ? '' : ` (we asked for ${methodTitle(asked)})`;
        return {
          step: 'authentication',
          reason: `the peer refuses to prove who it is${wish}`,
          remedy: 'configure a user name and password at the peer',
        };
      }
      case LCP_MAGIC_NUMBER:
        this.#asked.magic = 0;
        return undefined;
      case LCP_ACCM:
        this.#asked.accm = undefined;
        return undefined;
      case LCP_PFC:
        this.#asked.pfc = false;
        return undefined;
      case LCP_ACFC:
        this.#asked.acfc = false;
        return undefined;
      default:
        return undefined;
    }
  }

  /** A Magic-Number, never zero and never the one in use. */
  #newMagic(current = 0): number {
    const magic = u32Value.decode(this.#random.bytes(4));
    if (magic !== 0 && magic !== current) return magic;
    return magic === 0xffffffff ? 1 : magic + 1;
  }
}

/** The link is a loop: what we send comes back to us. */
export function loopFailure(): Failure {
  return {
    step: 'LCP',
    reason: 'the link is looped back: our own packets come back to us',
    remedy: 'look for a loop between this side and the peer, or for a peer address that is our own',
  };
}

function areDistinct(options: readonly ConfigurationOption[]): boolean {
  return new Set(options.map(({ type }) => type)).size === options.length;
}

function authenticationOption(method: PppAuthentication): ConfigurationOption {
  return { type: LCP_AUTHENTICATION_PROTOCOL, data: protocolValue.encode(methodValue(method)) };
}

function nakU32(type: number, value: number): Judgement {
  return { nak: { type, data: u32Value.encode(value) } };
}
