/**
 * The host's side of router discovery on one point-to-point link (RFC 4861 section 6.3), and the addresses that follow
 * from it (RFC 4862 section 5.5), as a machine without hands.
 *
 * There is no duplicate address detection: IPv6CP has made sure that the two interface identifiers of the link differ
 * (RFC 5072 section 5).
 */
import { DecodeError } from '../bytes.ts';
import { addressUnder, ipv6Octets, isLinkLocal, isMulticast, linkLocalAddress } from '../ipv6-address.ts';
import type { Instant, Machine } from '../machine.ts';
import { earliest } from '../ppp/deadlines.ts';
import { decodeRouterDiscovery, encodeSolicitation, type RouterAdvertisement } from './messages.ts';
import { INFINITE_SECONDS, type PrefixInformation, type RecursiveDnsServers } from './options.ts';

/** RFC 4861 section 10: RTR_SOLICITATION_INTERVAL, ms, and MAX_RTR_SOLICITATIONS. */
const SOLICITATION_INTERVAL_MS = 4_000;
const MAX_SOLICITATIONS = 3;
/** What an unauthenticated advertisement cannot make shorter (RFC 4862 section 5.5.3 e), ms. */
const TWO_HOURS_MS = 2 * 60 * 60 * 1000;
/** Length of the prefixes that an interface identifier of 64 bits fits (RFC 4862 section 5.5.3 d). */
const PREFIX_LENGTH = 64;
/** Addresses at a time. A router that renumbers has two prefixes for a while. */
const MAX_ADDRESSES = 4;
/** DNS servers at a time (RFC 8106 section 5.3.1 recommends to store at least three). */
const MAX_DNS_SERVERS = 4;
/** Least MTU of IPv6 (RFC 8200 section 5), octets. */
const MIN_MTU = 1280;
/**
 * Changes are told so far apart, ms: MIN_DELAY_BETWEEN_RAS (RFC 4861 section 10), below which no honest router says
 * something new. Each one costs whoever is told far more than the advertisement that caused it.
 */
const CHANGE_INTERVAL_MS = 3_000;

export interface AutoconfigurationOptions {
  /** Eight octets, as IPv6CP settled them. */
  readonly interfaceId: Uint8Array;
  /** Octets of the link; an advertised MTU may be lower, not higher. */
  readonly linkMtu: number;
}

/** What the link has at the moment. */
export interface Autoconfigured {
  /** The oldest first. */
  readonly addresses: readonly {
    readonly address: string;
    /** The first address of its /64. */
    readonly prefix: string;
    /** Not for new connections any more (RFC 4862 section 5.5.4). */
    readonly deprecated: boolean;
  }[];
  /** Link-local, while the peer says that it is a default router. */
  readonly router?: string;
  readonly dns: readonly string[];
  /** Octets. */
  readonly mtu: number;
}

export type AutoconfigurationOutput =
  /** An IPv6 packet for the peer. */
  | { readonly kind: 'send'; readonly packet: Uint8Array }
  /** Something else than how long it all lasts has changed. At least three seconds after the last one. */
  | ({ readonly kind: 'changed' } & Autoconfigured);

/** Infinite: for ever. */
type Until = Instant;

interface AddressEntry {
  readonly prefix: string;
  readonly address: string;
  validUntil: Until;
  preferredUntil: Until;
}

export class Autoconfiguration implements Machine<AutoconfigurationOutput> {
  readonly #options: AutoconfigurationOptions;
  readonly #outputs: AutoconfigurationOutput[] = [];
  #solicitAt: Instant | undefined;
  #solicitations = 0;
  readonly #addresses = new Map<string, AddressEntry>();
  readonly #dns = new Map<string, Until>();
  #router: { readonly address: string; readonly until: Instant } | undefined;
  #mtu: number;
  /** What was last told, in one text, and when. */
  #told: string;
  #toldAt: Instant | undefined;
  /** A change came too soon after the last one: it is told then. */
  #tellAt: Instant | undefined;

  constructor(options: AutoconfigurationOptions) {
    this.#options = options;
    this.#mtu = options.linkMtu;
    this.#told = JSON.stringify(this.#snapshot(0));
  }

  /**
   * The link is up. The first solicitation goes out at once: the delay that section 6.3.7 recommends is to keep many hosts
   * on one link apart, and here there is one.
   */
  start(now: Instant): void {
    this.#solicitations = 0;
    this.#solicit(now);
  }

  /** Takes an IPv6 packet; what is no valid Router Advertisement is dropped. */
  receive(now: Instant, packet: Uint8Array): void {
    this.#expire(now);
    let message: ReturnType<typeof decodeRouterDiscovery>;
    try {
      message = decodeRouterDiscovery(packet);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return;
    }
    if (message.kind === 'advertisement') this.#take(now, message);
  }

  /** What the link has at `now`. */
  state(now: Instant): Autoconfigured {
    this.#expire(now);
    return this.#snapshot(now);
  }

  tick(now: Instant): void {
    this.#expire(now);
    if (this.#solicitAt !== undefined && now >= this.#solicitAt) this.#solicit(now);
    this.#tell(now);
  }

  nextDeadline(): Instant | undefined {
    const ends = [
      this.#router?.until,
      ...this.#dns.values(),
      ...[...this.#addresses.values()].flatMap(({ validUntil, preferredUntil }) => [validUntil, preferredUntil]),
    ].filter((until) => until !== Number.POSITIVE_INFINITY && until !== Number.NEGATIVE_INFINITY);
    return earliest(this.#solicitAt, this.#tellAt, ...ends);
  }

  poll(): AutoconfigurationOutput | undefined {
    return this.#outputs.shift();
  }

  #solicit(now: Instant): void {
    this.#solicitations += 1;
    this.#outputs.push({ kind: 'send', packet: encodeSolicitation(linkLocalAddress(this.#options.interfaceId)) });
    this.#solicitAt = this.#solicitations < MAX_SOLICITATIONS ? now + SOLICITATION_INTERVAL_MS : undefined;
  }

  /** RFC 4861 section 6.3.4. */
  #take(now: Instant, advertisement: RouterAdvertisement): void {
    const { source, lifetimeSeconds, mtu, prefixes, dns } = advertisement;
    // "At least one Router Advertisement with a non-zero Router Lifetime" ends the asking (section 6.3.7).
    if (lifetimeSeconds > 0) {
      this.#solicitAt = undefined;
      this.#router = { address: source, until: now + lifetimeSeconds * 1000 };
    } else if (this.#router?.address === source) {
      this.#router = undefined;
    }
    if (mtu !== undefined && mtu >= MIN_MTU && mtu <= this.#options.linkMtu) this.#mtu = mtu;
    for (const prefix of prefixes) this.#takePrefix(now, prefix);
    for (const servers of dns) this.#takeDns(now, servers);
    this.#tell(now);
  }

  /** RFC 4862 section 5.5.3, by its letters. */
  #takePrefix(now: Instant, information: PrefixInformation): void {
    const { prefix, length, autonomous, validSeconds, preferredSeconds } = information;
    if (!autonomous || !isUsable(prefix) || preferredSeconds > validSeconds || length !== PREFIX_LENGTH) return;
    const validUntil = instantOf(now, validSeconds);
    const known = this.#addresses.get(prefix);
    if (known !== undefined) {
      known.preferredUntil = preferredSeconds === 0 ? Number.NEGATIVE_INFINITY : instantOf(now, preferredSeconds);
      const remaining = known.validUntil - now;
      if (validUntil - now > TWO_HOURS_MS || validUntil > known.validUntil) known.validUntil = validUntil;
      else if (remaining > TWO_HOURS_MS) known.validUntil = now + TWO_HOURS_MS;
      return;
    }
    if (validSeconds === 0 || this.#addresses.size >= MAX_ADDRESSES) return;
    const address = addressUnder(prefix, this.#options.interfaceId);
    const preferredUntil = preferredSeconds === 0 ? Number.NEGATIVE_INFINITY : instantOf(now, preferredSeconds);
    this.#addresses.set(prefix, { prefix, address, validUntil, preferredUntil });
  }

  /** RFC 8106 section 5.1: lifetime 0 takes a server away. */
  #takeDns(now: Instant, { lifetimeSeconds, servers }: RecursiveDnsServers): void {
    for (const server of servers) {
      if (lifetimeSeconds === 0) this.#dns.delete(server);
      else if (this.#dns.has(server) || (this.#dns.size < MAX_DNS_SERVERS && isUsable(server))) {
        this.#dns.set(server, instantOf(now, lifetimeSeconds));
      }
    }
  }

  #expire(now: Instant): void {
    if (this.#router !== undefined && now >= this.#router.until) this.#router = undefined;
    for (const [prefix, entry] of this.#addresses) {
      if (now >= entry.validUntil) this.#addresses.delete(prefix);
      // Noted once, so that it is no deadline any more.
      else if (now >= entry.preferredUntil) entry.preferredUntil = Number.NEGATIVE_INFINITY;
    }
    for (const [server, until] of this.#dns) if (now >= until) this.#dns.delete(server);
  }

  #tell(now: Instant): void {
    const state = this.#snapshot(now);
    const text = JSON.stringify(state);
    this.#tellAt = undefined;
    if (text === this.#told) return;
    const soonest = this.#toldAt === undefined ? now : this.#toldAt + CHANGE_INTERVAL_MS;
    if (now < soonest) {
      this.#tellAt = soonest;
      return;
    }
    this.#told = text;
    this.#toldAt = now;
    this.#outputs.push({ kind: 'changed', ...state });
  }

  #snapshot(now: Instant): Autoconfigured {
    return {
      addresses: Array.from(this.#addresses.values(), ({ address, prefix, preferredUntil }) => ({
        address,
        prefix,
        deprecated: now >= preferredUntil,
      })),
      ...(this.#router === undefined ? {} : { router: this.#router.address }),
      dns: [...this.#dns.keys()],
      mtu: this.#mtu,
    };
  }
}

/** Neither link-local nor a group, nobody or this host (`::/64` has those two): nothing to make an address from. */
function isUsable(address: string): boolean {
  const octets = ipv6Octets(address);
  return !isLinkLocal(octets) && !isMulticast(octets) && octets.subarray(0, 8).some((octet) => octet !== 0);
}

function instantOf(now: Instant, seconds: number): Until {
  return seconds === INFINITE_SECONDS ? Number.POSITIVE_INFINITY : now + seconds * 1000;
}
