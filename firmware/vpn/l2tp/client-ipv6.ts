import { linkLocalAddress } from '../../protocol/ipv6-address.ts';
import type { Failure, Instant } from '../../protocol/machine.ts';
import { Autoconfiguration } from '../../protocol/ndp/autoconfiguration.ts';
import type { PppOutput } from '../../protocol/ppp/link-types.ts';
import { isIpv6Frame, packetOf, userFrame } from './ipv6-frame.ts';

/** IPv6 of a client whose IPv6CP is opened. */
export interface ClientIpv6 {
  readonly linkLocalAddress: string;
  readonly peerLinkLocalAddress: string;
  /** Made from what the server advertises; none with a server that advertises nothing. */
  readonly addresses: readonly string[];
  /** The peer, while it says that it is a default router. */
  readonly router?: string;
  readonly dns: readonly string[];
  /** Octets of inner packet. */
  readonly mtu: number;
}

export interface ClientIpv6Parts {
  /** Judges an address or a DNS server that follows from what the server advertises; what is refused is not used. */
  readonly review?: (what: 'address' | 'dns', address: string) => Failure | undefined;
  /** Something was refused. Once for each address. */
  readonly refused: (failure: Failure) => void;
}

/** Verdicts remembered: many more than addresses and servers are used at a time. */
const MAX_JUDGED = 64;

type Ipv6Up = Extract<PppOutput, { kind: 'ipv6-up' }>;

/** A client's IPv6 from IPv6CP to addresses. Without hands; one for each time that IPv6CP opens. */
export class ClientIpv6Link {
  readonly #parts: ClientIpv6Parts;
  readonly #host: Autoconfiguration;
  readonly #local: string;
  readonly #peer: string;
  readonly #mtu: number;
  readonly #judged = new Map<string, boolean>();
  #state: ClientIpv6;

  /** @param mtu of the link, octets. */
  constructor(up: Ipv6Up, mtu: number, parts: ClientIpv6Parts) {
    this.#parts = parts;
    this.#mtu = mtu;
    this.#local = linkLocalAddress(up.localInterfaceId);
    this.#peer = linkLocalAddress(up.peerInterfaceId);
    this.#host = new Autoconfiguration({ interfaceId: up.localInterfaceId, linkMtu: mtu });
    this.#state = this.#with({ addresses: [], dns: [], mtu: this.#mtu });
  }

  get state(): ClientIpv6 {
    return this.#state;
  }

  start(now: Instant): void {
    this.#host.start(now);
  }

  /** Takes a bare PPP frame. @returns false when it is not of IPv6. */
  receive(now: Instant, frame: Uint8Array): boolean {
    if (!isIpv6Frame(frame)) return false;
    this.#host.receive(now, packetOf(frame));
    return true;
  }

  tick(now: Instant): void {
    this.#host.tick(now);
  }

  nextDeadline(): Instant | undefined {
    return this.#host.nextDeadline();
  }

  /** A bare PPP frame for the peer, or `changed`: {@link state} is another one. */
  poll(): { readonly kind: 'send'; readonly frame: Uint8Array } | { readonly kind: 'changed' } | undefined {
    const output = this.#host.poll();
    if (output === undefined) return undefined;
    if (output.kind === 'send') return { kind: 'send', frame: userFrame(output.packet) };
    this.#state = this.#with(output);
    return { kind: 'changed' };
  }

  #with(found: {
    readonly addresses: readonly { readonly address: string }[];
    readonly router?: string;
    readonly dns: readonly string[];
    readonly mtu: number;
  }): ClientIpv6 {
    return {
      linkLocalAddress: this.#local,
      peerLinkLocalAddress: this.#peer,
      addresses: found.addresses.map(({ address }) => address).filter((address) => this.#isFit('address', address)),
      ...(found.router === undefined ? {} : { router: found.router }),
      dns: found.dns.filter((server) => this.#isFit('dns', server)),
      mtu: found.mtu,
    };
  }

  #isFit(what: 'address' | 'dns', address: string): boolean {
    const key = `${what} ${address}`;
    const known = this.#judged.get(key);
    if (known !== undefined) return known;
    const refusal = this.#parts.review?.(what, address);
    if (refusal !== undefined) this.#parts.refused(refusal);
    // A peer may come with ever new ones; what it came with long ago is judged again then.
    if (this.#judged.size >= MAX_JUDGED) this.#judged.clear();
    this.#judged.set(key, refusal === undefined);
    return refusal === undefined;
  }
}
