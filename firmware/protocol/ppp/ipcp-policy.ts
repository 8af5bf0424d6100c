/** What IPCP asks for and what it grants: addresses (RFC 1332 section 3.3) and name servers (RFC 1877). */
import type { Failure } from '../machine.ts';
import type { Ipv4Assignment } from './link-types.ts';
import type { Judgement, NegotiationPolicy } from './negotiation-types.ts';
import {
  addressValue,
  type ConfigurationOption,
  IPCP_IP_ADDRESS,
  IPCP_PRIMARY_DNS,
  IPCP_SECONDARY_DNS,
  valueOrUndefined,
} from './options.ts';

/** "I have none", "give me one", and what a peer says that keeps its own to itself. */
export const UNSPECIFIED = '0.0.0.0';

/** The IPv4 side of an opened link. */
export interface Ipv4Agreement {
  readonly localAddress: string;
  /** `0.0.0.0` where the peer never said. */
  readonly peerAddress: string;
  readonly dns: readonly string[];
}

/** A policy whose outcome can be read once IPCP is opened. */
export interface IpcpPolicyMachine extends NegotiationPolicy {
  readonly agreement: Ipv4Agreement;
}

/** We take the address that the peer gives. */
export class IpcpClientPolicy implements IpcpPolicyMachine {
  readonly #firstAddress: string;
  readonly #requestDns: boolean;
  #address: string;
  /** What we ask for, by option type. */
  readonly #dns = new Map<number, string>();
  #peerAddress = UNSPECIFIED;
  #peerRejectedZero = false;

  /** @param address asked for; the peer may give another one all the same. */
  constructor(requestDns: boolean, address: string = UNSPECIFIED) {
    this.#firstAddress = address;
    this.#address = address;
    this.#requestDns = requestDns;
  }

  get agreement(): Ipv4Agreement {
    const dns = [IPCP_PRIMARY_DNS, IPCP_SECONDARY_DNS]
      .map((type) => this.#dns.get(type))
      .filter((server) => server !== undefined && server !== UNSPECIFIED);
    return {
      localAddress: this.#address,
      peerAddress: this.#peerAddress,
      dns: [...new Set(dns)].filter((server) => server !== undefined),
    };
  }

  reset(): void {
    this.#address = this.#firstAddress;
    this.#peerAddress = UNSPECIFIED;
    this.#peerRejectedZero = false;
    this.#dns.clear();
    if (!this.#requestDns) return;
    this.#dns.set(IPCP_PRIMARY_DNS, UNSPECIFIED);
    this.#dns.set(IPCP_SECONDARY_DNS, UNSPECIFIED);
  }

  request(): readonly ConfigurationOption[] {
    return [
      addressOption(IPCP_IP_ADDRESS, this.#address),
      ...Array.from(this.#dns, ([type, server]) => addressOption(type, server)),
    ];
  }

  judge(option: ConfigurationOption): Judgement {
    if (option.type !== IPCP_IP_ADDRESS) return 'reject';
    const address = valueOrUndefined(addressValue, option);
    if (address === undefined) return 'reject';
    if (address !== UNSPECIFIED) return 'ack';
    // The peer asks for an address, and we have none to give. One that insists only keeps its own to itself.
    if (this.#peerRejectedZero) return 'ack';
    this.#peerRejectedZero = true;
    return 'reject';
  }

  missing(): readonly ConfigurationOption[] {
    return [];
  }

  accept(options: readonly ConfigurationOption[]): void {
    const option = options.findLast(({ type }) => type === IPCP_IP_ADDRESS);
    this.#peerAddress = option === undefined ? UNSPECIFIED : addressValue.decode(option.data);
  }

  acknowledged(): Failure | undefined {
    return this.#address === UNSPECIFIED ? noAddressFailure('it acknowledged 0.0.0.0') : undefined;
  }

  refused(kind: 'nak' | 'reject', options: readonly ConfigurationOption[]): Failure | undefined {
    for (const option of options) {
      const given = kind === 'nak' ? valueOrUndefined(addressValue, option) : undefined;
      if (option.type === IPCP_IP_ADDRESS) {
        if (kind === 'reject') return noAddressFailure('it refused to talk about our address');
        if (given === undefined || given === UNSPECIFIED) return noAddressFailure('it suggested 0.0.0.0');
        this.#address = given;
      } else if (this.#dns.has(option.type)) {
        if (given === undefined || given === UNSPECIFIED) this.#dns.delete(option.type);
        else this.#dns.set(option.type, given);
      }
    }
    return undefined;
  }
}

/** We give the peer its address. */
export class IpcpServerPolicy implements IpcpPolicyMachine {
  readonly #assignment: Ipv4Assignment;
  #announceOwn = true;

  constructor(assignment: Ipv4Assignment) {
    this.#assignment = assignment;
  }

  get agreement(): Ipv4Agreement {
    const { localAddress, peerAddress, dns } = this.#assignment;
    return { localAddress, peerAddress, dns };
  }

  reset(): void {
    this.#announceOwn = true;
  }

  request(): readonly ConfigurationOption[] {
    return this.#announceOwn ? [addressOption(IPCP_IP_ADDRESS, this.#assignment.localAddress)] : [];
  }

  judge(option: ConfigurationOption): Judgement {
    const wanted = this.#valueFor(option.type);
    if (wanted === undefined) return 'reject';
    const asked = valueOrUndefined(addressValue, option);
    return asked === wanted ? 'ack' : { nak: addressOption(option.type, wanted) };
  }

  /** A peer that names no address is told its own (RFC 1332 section 3.3). */
  missing(options: readonly ConfigurationOption[]): readonly ConfigurationOption[] {
    if (options.some((option) => option.type === IPCP_IP_ADDRESS)) return [];
    return [addressOption(IPCP_IP_ADDRESS, this.#assignment.peerAddress)];
  }

  accept(): void {
    // What was acknowledged is what was assigned.
  }

  acknowledged(): Failure | undefined {
    return undefined;
  }

  refused(kind: 'nak' | 'reject', options: readonly ConfigurationOption[]): Failure | undefined {
    // Our address is not up for debate; a peer that will not hear of it need not.
    if (kind === 'reject' && options.some((option) => option.type === IPCP_IP_ADDRESS)) this.#announceOwn = false;
    return undefined;
  }

  #valueFor(type: number): string | undefined {
    switch (type) {
      case IPCP_IP_ADDRESS:
        return this.#assignment.peerAddress;
      case IPCP_PRIMARY_DNS:
        return this.#assignment.dns[0];
      case IPCP_SECONDARY_DNS:
        return this.#assignment.dns[1];
      default:
        // IP-Addresses, IP-Compression-Protocol, the NBNS addresses ...
        return undefined;
    }
  }
}

function noAddressFailure(detail: string): Failure {
  return {
    step: 'IPCP',
    reason: `the server gave us no IP address: ${detail}`,
    remedy: 'check that the address pool of the server has a free address for this user',
  };
}

function addressOption(type: number, address: string): ConfigurationOption {
  return { type, data: addressValue.encode(address) };
}
