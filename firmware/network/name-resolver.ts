/**
 * A stub resolver (RFC 1034 section 5.3.1) for one name, over UDP (RFC 1035 section 4.2.1): datagrams and the time in,
 * datagrams and the addresses out. It runs over a socket with the outer mark, so that the name of a VPN server is
 * always looked up by way of the uplink.
 */
import { isHostName } from '../config/formats.ts';
import { canonicalIp } from '../protocol/ip-address.ts';
import type { Failure, Instant, Machine, RandomSource } from '../protocol/machine.ts';
import type { UdpEndpoint } from '../protocol/udp-path.ts';
import { type DnsAnswer, encodeQuery, type QueryType, readAnswer } from './dns-message.ts';

/** How long one server may take, ms: past the slowest satellite link. */
const ANSWER_MS = 2000;

/** How often every server is asked before giving up. */
const ROUNDS = 3;

/** Servers asked at most, as the resolver of the C library (MAXNS). */
const MAX_SERVERS = 3;

/** UDP port of DNS (RFC 1035 section 4.2.1). */
const DNS_PORT = 53;

export interface NameResolverOptions {
  /** A host name, or an address, which is its own answer. */
  readonly name: string;
  /** Addresses of DNS servers, the best first; three are asked. */
  readonly servers: readonly string[];
  /** What addresses are wanted. Default: IPv4. */
  readonly families?: readonly (4 | 6)[];
  readonly random: RandomSource;
  readonly now: Instant;
}

export type NameResolverOutput =
  | { readonly kind: 'send'; readonly server: UdpEndpoint; readonly datagram: Uint8Array }
  /** At least one address, IPv4 first, in the server's order. The end. */
  | { readonly kind: 'done'; readonly addresses: readonly string[] }
  /** The end. */
  | { readonly kind: 'failed'; readonly failure: Failure };

/** A query that went out; an answer is taken only when it matches one in every respect. */
interface Query {
  readonly id: number;
  readonly type: QueryType;
  readonly server: UdpEndpoint;
  readonly attempt: number;
}

export class NameResolver implements Machine<NameResolverOutput> {
  readonly #name: string;
  readonly #servers: readonly UdpEndpoint[];
  readonly #random: RandomSource;
  readonly #types: readonly QueryType[];
  readonly #outputs: NameResolverOutput[] = [];
  #state:
    | { readonly kind: 'asking'; readonly attempt: number; readonly deadline: Instant }
    | { readonly kind: 'ended' };
  #queries: readonly Query[] = [];
  /** What is known already; an empty list: the name has no address of that kind. */
  readonly #answers = new Map<QueryType, readonly string[]>();
  /** What the last server that answered in vain said. */
  #trouble: string | undefined;

  constructor(options: NameResolverOptions) {
    this.#name = options.name.replace(/\.$/, '');
    this.#random = options.random;
    this.#types = (options.families ?? [4]).map((family) => (family === 4 ? 'A' : 'AAAA'));
    this.#servers = options.servers
      .flatMap((text) => canonicalIp(text) ?? [])
      .slice(0, MAX_SERVERS)
      .map((address) => ({ address, port: DNS_PORT }));
    this.#state = { kind: 'ended' };
    const literal = canonicalIp(this.#name);
    if (literal !== undefined) this.#end({ kind: 'done', addresses: [literal] });
    else if (!isHostName(this.#name)) this.#fail('the name of the server is no host name', 'correct it');
    else if (this.#servers.length === 0) {
      const remedy = 'set the DNS servers of the WAN interface, or write the server as an address';
      this.#fail(`no DNS server is known to ask for ${this.#name}`, remedy);
    } else this.#ask(0, options.now);
  }

  tick(now: Instant): void {
    if (this.#state.kind === 'asking' && now >= this.#state.deadline) this.#next(now);
  }

  nextDeadline(): Instant | undefined {
    return this.#state.kind === 'asking' ? this.#state.deadline : undefined;
  }

  poll(): NameResolverOutput | undefined {
    return this.#outputs.shift();
  }

  /**
   * A datagram came. Whatever answers none of our queries, or not from where it was sent, is dropped without a word.
   */
  receive(now: Instant, from: UdpEndpoint, datagram: Uint8Array): void {
    if (this.#state.kind === 'ended') return;
    const id = datagram.length < 2 ? -1 : ((datagram[0] ?? 0) << 8) | (datagram[1] ?? 0);
    const source = canonicalIp(from.address);
    const query = this.#queries.find(
      (sent) => sent.id === id && sent.server.address === source && sent.server.port === from.port,
    );
    if (query === undefined || this.#answers.has(query.type)) return;
    const answer = readAnswer(datagram, this.#name, query.type);
    if (answer !== undefined) this.#take(query, answer, now);
  }

  #take(query: Query, answer: DnsAnswer, now: Instant): void {
    switch (answer.kind) {
      case 'addresses':
        this.#answers.set(query.type, answer.addresses);
        if (this.#types.every((type) => this.#answers.has(type))) this.#conclude();
        return;
      case 'no-such-name': {
        const remedy = 'check the spelling of the server, and that the name exists';
        this.#fail(`the name ${this.#name} does not exist, says the DNS server ${query.server.address}`, remedy);
        return;
      }
      case 'refused':
        this.#trouble = `the DNS server ${query.server.address} answered ${answer.code}`;
        // The next server need not wait for this one's time.
        if (this.#state.kind === 'asking' && query.attempt === this.#state.attempt) this.#next(now);
    }
  }

  #ask(attempt: number, now: Instant): void {
    const server = this.#servers[attempt % this.#servers.length];
    if (server === undefined) return;
    this.#state = { kind: 'asking', attempt, deadline: now + ANSWER_MS };
    for (const type of this.#types) {
      if (this.#answers.has(type)) continue;
      const id = this.#freshId();
      this.#queries = [...this.#queries, { id, type, server, attempt }];
      this.#outputs.push({ kind: 'send', server, datagram: encodeQuery(id, this.#name, type) });
    }
  }

  /** A number that no open query has: an answer must be told by it. */
  #freshId(): number {
    const [high = 0, low = 0] = this.#random.bytes(2);
    let id = (high << 8) | low;
    while (this.#queries.some((query) => query.id === id)) id = (id + 1) & 0xffff;
    return id;
  }

  #next(now: Instant): void {
    const attempt = this.#state.kind === 'asking' ? this.#state.attempt + 1 : 0;
    if (attempt < ROUNDS * this.#servers.length) this.#ask(attempt, now);
    else this.#conclude();
  }

  #conclude(): void {
    const addresses = [...(this.#answers.get('A') ?? []), ...(this.#answers.get('AAAA') ?? [])];
    if (addresses.length > 0) this.#end({ kind: 'done', addresses });
    else if (this.#types.every((type) => this.#answers.has(type))) {
      const kinds = this.#types.map((type) => (type === 'A' ? 'IPv4' : 'IPv6')).join(' or ');
      this.#fail(`the name ${this.#name} exists but has no ${kinds} address`, 'check the name of the server');
    } else {
      const asked = this.#servers.map(({ address }) => address).join(', ');
      const reason = this.#trouble ?? `no DNS server answered for ${this.#name} (asked ${asked}, ${ROUNDS} times each)`;
      const remedy = 'check the uplink and its DNS servers, or write the server as an address';
      this.#fail(this.#trouble === undefined ? reason : `${reason} for ${this.#name}`, remedy);
    }
  }

  #fail(reason: string, remedy: string): void {
    this.#end({ kind: 'failed', failure: { step: 'resolve', reason, remedy } });
  }

  #end(output: NameResolverOutput): void {
    this.#state = { kind: 'ended' };
    this.#queries = [];
    this.#outputs.push(output);
  }
}
