/**
 * The client side of RADIUS (RFC 2865, RFC 2866), without hands: questions about users and records of accounting in,
 * datagrams out, and the answers that can be believed. Several servers, the preferred one first: who is silent is passed
 * over for a while, then tried by one question alone, and is the first again when it answers.
 */
import { DecodeError } from '../bytes.ts';
import { canonicalIp } from '../ip-address.ts';
import type { Failure, Instant, Machine, RandomSource } from '../machine.ts';
import { sameEndpoint, type UdpEndpoint } from '../udp-path.ts';
import { AccountingQueue, type QueuedRecord } from './accounting-queue.ts';
import type { RadiusAttribute } from './attribute-value.ts';
import { noServerAnswered, type Trouble, tooManyQuestions } from './client-failures.ts';
import type {
  AccountingRecord,
  RadiusClientOptions,
  RadiusClientOutput,
  RadiusServerView,
  RadiusService,
} from './client-types.ts';
import { type Candidate, Exchange, type Next, type Service } from './exchange.ts';
import { CODE, type ReadPacket, readPacket } from './packet.ts';
import { checkResponse, type ResponseProof, sealRequest } from './sealing.ts';
import { ServerService } from './server-service.ts';

/** How long a question about a user may take over all servers, ms: less than PPP gives to authentication. */
const ACCESS_BUDGET_MS = 24_000;
/** Questions about users under way at a time; each may need a number at several servers, of which there are 256. */
const MAX_ASKED = 200;
/** Questions that wait for one of those to end. */
const MAX_WAITING = 1000;
/** Records of accounting under way at a time. */
const MAX_RECORDS_UNDER_WAY = 32;
/** Pause of accounting after nobody took a record, ms. */
const ACCOUNTING_PAUSE_MS = 5_000;
/** Least time between two look-ups of one name, ms. */
const RESOLVE_PAUSE_MS = 5_000;

const AUTHENTICATOR_OCTETS = 16;

/** Codes by which each service answers. */
const ANSWERS: Readonly<Record<RadiusService, readonly number[]>> = {
  authentication: [CODE.accessAccept, CODE.accessReject, CODE.accessChallenge],
  accounting: [CODE.accountingResponse],
};

/** What a wrong proof lets one suspect. */
const SUSPICION: Readonly<Record<Exclude<ResponseProof, 'good'>, Trouble>> = {
  'wrong-authenticator': { kind: 'wrong-secret' },
  'wrong-message-authenticator': { kind: 'wrong-secret' },
  'no-message-authenticator': { kind: 'no-message-authenticator' },
};

export class RadiusClient implements Machine<RadiusClientOutput> {
  readonly #options: RadiusClientOptions;
  readonly #random: RandomSource;
  readonly #services: Readonly<Record<RadiusService, readonly Service[]>>;
  readonly #exchanges = new Map<number, { readonly exchange: Exchange; readonly service: RadiusService }>();
  readonly #waiting: {
    readonly id: number;
    readonly attributes: readonly RadiusAttribute[];
    readonly until: Instant;
  }[] = [];
  readonly #records = new AccountingQueue();
  /** Accounting rests until then. */
  #recordsAfter: Instant = Number.NEGATIVE_INFINITY;
  readonly #lookups = new Map<
    number,
    { readonly running: boolean; readonly since: Instant; readonly failure?: Failure }
  >();
  readonly #outputs: RadiusClientOutput[] = [];
  #lastId = 0;
  #strangers = 0;

  constructor(options: RadiusClientOptions, random: RandomSource) {
    this.#options = options;
    this.#random = random;
    const services = (service: RadiusService): readonly Service[] =>
      options.servers.map(
        (server, index) => new ServerService<Exchange>(index, service, server, random.bytes(1)[0] ?? 0),
      );
    this.#services = { authentication: services('authentication'), accounting: services('accounting') };
  }

  /** Datagrams from where no server is. */
  get strangers(): number {
    return this.#strangers;
  }

  get servers(): readonly RadiusServerView[] {
    return [...this.#services.authentication, ...this.#services.accounting].map(({ view }) => view);
  }

  /** Records of accounting that no server has acknowledged. */
  get recordsLeft(): number {
    return this.#records.length;
  }

  /**
   * Asks about a user. @param server ask this one alone: the attributes answer its challenge.
   * @returns the number by which `answer` or `failed` will name the question.
   */
  ask(now: Instant, attributes: readonly RadiusAttribute[], server?: number): number {
    this.#lastId += 1;
    const id = this.#lastId;
    if (server !== undefined || this.#asked < MAX_ASKED) this.#begin(now, id, attributes, server);
    else if (this.#waiting.length < MAX_WAITING) this.#waiting.push({ id, attributes, until: now + ACCESS_BUDGET_MS });
    else this.#outputs.push({ kind: 'failed', question: id, failure: tooManyQuestions(MAX_WAITING) });
    return id;
  }

  /** Nobody wants to know any more. Harmless when it is answered. */
  forget(now: Instant, question: number): void {
    const at = this.#waiting.findIndex(({ id }) => id === question);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.#end(question);
    this.#goOn(now);
  }

  /** Keeps the record until a server has acknowledged it. */
  account(now: Instant, record: AccountingRecord): void {
    const lost = this.#records.push({ ...record, at: now });
    if (lost > 0) this.#outputs.push({ kind: 'accounting-lost', records: lost });
    this.#goOn(now);
  }

  /** The address of a server's host is known. */
  addressed(now: Instant, server: number, address: string): void {
    this.#lookedUp(now, server);
    for (const services of Object.values(this.#services)) {
      const service = services[server];
      if (!service || service.endpoint?.address === address) continue;
      service.address = address;
      // Those who wait for it go on at once.
      for (const { exchange } of [...this.#exchanges.values()]) {
        if (exchange.service === service) this.#send(now, exchange, false);
      }
    }
  }

  /** It could not be found; an address that was known before stays in use. */
  unresolved(now: Instant, server: number, failure: Failure): void {
    this.#lookedUp(now, server, failure);
    this.#hint(now, (service) => service.index === server && service.endpoint === undefined, {
      kind: 'unresolved',
      failure,
    });
  }

  /** The kernel reports an error on the way to `remote`: a hint, never proof. */
  pathError(now: Instant, remote: UdpEndpoint, code: string): void {
    const there = (service: Service): boolean =>
      service.endpoint !== undefined && sameEndpoint(service.endpoint, remote);
    this.#hint(now, there, { kind: 'unreachable', code });
  }

  /** A datagram came. Whatever is no good answer to an open question is counted and dropped (RFC 2865 section 3). */
  receive(now: Instant, from: UdpEndpoint, datagram: Uint8Array): void {
    const service = [...this.#services.authentication, ...this.#services.accounting].find(
      ({ endpoint }) => endpoint !== undefined && sameEndpoint(endpoint, from),
    );
    if (service === undefined) {
      this.#strangers += 1;
      return;
    }
    const question = service.question(datagram[1] ?? -1);
    if (question === undefined) {
      service.count('duplicates');
      return;
    }
    const response = read(datagram);
    if (response === undefined || !ANSWERS[service.service].includes(response.code)) {
      service.count('malformed');
      question.owner.note({ kind: 'malformed' });
      return;
    }
    const proof = checkResponse(response, question.authenticator, service.options.secret);
    if (proof !== 'good' && !(proof === 'no-message-authenticator' && this.#mayLackOne(service, response))) {
      service.count('unproved');
      question.owner.note(SUSPICION[proof]);
      return;
    }
    this.#answered(now, service, question.owner.id, response);
  }

  tick(now: Instant): void {
    for (const { exchange } of [...this.#exchanges.values()]) {
      if (now >= exchange.deadline) this.#proceed(now, exchange, exchange.timeout(now, this.#onDead));
    }
    for (let first = this.#waiting[0]; first && now >= first.until; first = this.#waiting[0]) {
      this.#waiting.shift();
      this.#outputs.push({ kind: 'failed', question: first.id, failure: tooManyQuestions(MAX_ASKED) });
    }
    this.#goOn(now);
  }

  nextDeadline(): Instant | undefined {
    let earliest = this.#waiting[0]?.until ?? Number.POSITIVE_INFINITY;
    for (const { exchange } of this.#exchanges.values()) earliest = Math.min(earliest, exchange.deadline);
    if (this.#nextRecord() !== undefined) earliest = Math.min(earliest, this.#recordsAfter);
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
  }

  poll(): RadiusClientOutput | undefined {
    return this.#outputs.shift();
  }

  get #asked(): number {
    return this.#exchanges.size - this.#records.underWay;
  }

  /** Accounting grants nothing, and EAP may not be without one (RFC 3579 section 3.2). */
  #mayLackOne(service: Service, response: ReadPacket): boolean {
    if (service.service === 'accounting') return true;
    return !this.#options.requireMessageAuthenticator && !response.attributes.some(({ name }) => name === 'eapMessage');
  }

  #answered(now: Instant, service: Service, id: number, response: ReadPacket): void {
    if (service.answered(now)) {
      this.#outputs.push({ kind: 'answers', server: service.index, service: service.service });
    }
    this.#end(id);
    if (this.#records.acknowledged(id)) this.#recordsAfter = now;
    else {
      const { code, attributes } = response;
      this.#outputs.push({ kind: 'answer', question: id, server: service.index, code, attributes });
    }
    this.#goOn(now);
  }

  /** Whatever waited for a place takes it. */
  #goOn(now: Instant): void {
    while (this.#asked < MAX_ASKED) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#begin(now, next.id, next.attributes);
    }
    while (now >= this.#recordsAfter) {
      const record = this.#nextRecord();
      if (record === undefined) break;
      this.#lastId += 1;
      const id = this.#lastId;
      this.#records.begin(record, id);
      const { at, attributes } = record;
      // Its time is told anew with every packet (RFC 2866 section 5.2).
      this.#start(now, id, 'accounting', this.#candidates(now, 'accounting'), (then) => [
        ...attributes,
        { name: 'acctDelayTime', value: Math.floor((then - at) / 1000) },
      ]);
    }
  }

  /** While all servers are silent one record at a time finds out whether they are back. */
  #nextRecord(): QueuedRecord | undefined {
    const hope = this.#services.accounting.some(({ silent }) => !silent);
    return this.#records.underWay < (hope ? MAX_RECORDS_UNDER_WAY : 1) ? this.#records.peek() : undefined;
  }

  #begin(now: Instant, id: number, attributes: readonly RadiusAttribute[], server?: number): void {
    const [only] = server === undefined ? [] : this.#services.authentication.slice(server, server + 1);
    const candidates = only
      ? [{ service: only, tries: only.options.tries, trial: false }]
      : this.#candidates(now, 'authentication');
    this.#start(now, id, 'authentication', candidates, () => attributes);
  }

  #start(
    now: Instant,
    id: number,
    service: RadiusService,
    candidates: readonly Candidate[],
    attributes: Exchange['attributes'],
  ): void {
    const { deadMs } = this.#options;
    // A record may take what it takes; the budget is for users who wait.
    const budgetMs = service === 'accounting' ? Number.POSITIVE_INFINITY : ACCESS_BUDGET_MS;
    const exchange = new Exchange(id, now, candidates, attributes, { random: this.#random, deadMs, budgetMs });
    this.#exchanges.set(id, { exchange, service });
    this.#proceed(now, exchange, candidates.length === 0 ? 'over' : 'send');
  }

  /** Those that answer, in the configured order; one that may be back, tried once; last, and once, those that are dead. */
  #candidates(now: Instant, service: RadiusService): readonly Candidate[] {
    const standings = this.#services[service].map((entry) => ({ entry, standing: entry.standing(now) }));
    const first = standings.filter(({ standing }) => standing !== 'dead');
    const last = standings.filter(({ standing }) => standing === 'dead');
    return [...first, ...last].map(({ entry, standing }) => ({
      service: entry,
      tries: standing === 'trusted' ? entry.options.tries : 1,
      trial: standing === 'on-trial',
    }));
  }

  #proceed(now: Instant, exchange: Exchange, next: Next): void {
    if (next === 'send') this.#send(now, exchange, true);
    else if (next === 'over') this.#failed(now, exchange);
  }

  /** @param counts whether this is one of its tries; otherwise the wait goes on as it was. */
  #send(now: Instant, exchange: Exchange, counts: boolean): void {
    const { service } = exchange;
    if (!service) return;
    service.count(exchange.again ? 'retransmissions' : 'requests');
    if (counts) exchange.sent(now);
    const { endpoint } = service;
    if (endpoint === undefined) {
      const failure = this.#lookUp(now, service);
      if (failure) this.#proceed(now, exchange, exchange.hint(now, { kind: 'unresolved', failure }, this.#onDead));
      return;
    }
    const datagram = this.#write(now, exchange, service);
    if (datagram !== undefined) this.#outputs.push({ kind: 'send', remote: endpoint, datagram });
  }

  /** The packet as it was sent before, unless it says something else now: then it is a new one (RFC 2865 section 2.5). */
  #write(now: Instant, exchange: Exchange, service: Service): Uint8Array | undefined {
    const attributes = exchange.attributes(now);
    const delay = attributes.find(({ name }) => name === 'acctDelayTime');
    const text = String(delay?.value ?? '');
    if (exchange.last?.service === service && exchange.last.attributes === text) return exchange.last.octets;
    const identifier = service.freeIdentifier();
    // All 256 are in use: this try is lost like a datagram, and the next one finds a number.
    if (identifier === undefined) return undefined;
    const access = service.service === 'authentication';
    const authenticator = this.#random.bytes(AUTHENTICATOR_OCTETS);
    const code = access ? CODE.accessRequest : CODE.accountingRequest;
    const octets = sealRequest({ code, identifier, authenticator, attributes }, service.options.secret);
    service.open(identifier, { owner: exchange, authenticator: octets.slice(4, 4 + AUTHENTICATOR_OCTETS) });
    exchange.remember(service, identifier);
    exchange.last = { service, octets, attributes: text };
    return octets;
  }

  #failed(now: Instant, exchange: Exchange): void {
    this.#end(exchange.id);
    if (this.#records.returned(exchange.id)) this.#recordsAfter = now + ACCOUNTING_PAUSE_MS;
    else {
      const failure = noServerAnswered(exchange.failures);
      this.#outputs.push({ kind: 'failed', question: exchange.id, failure });
    }
    this.#goOn(now);
  }

  #end(id: number): void {
    this.#exchanges.get(id)?.exchange.end();
    this.#exchanges.delete(id);
  }

  #hint(now: Instant, concerned: (service: Service) => boolean, trouble: Trouble): void {
    for (const { exchange } of [...this.#exchanges.values()]) {
      const { service } = exchange;
      if (service && concerned(service)) this.#proceed(now, exchange, exchange.hint(now, trouble, this.#onDead));
    }
  }

  readonly #onDead = (now: Instant, service: Service, failure: Failure): void => {
    this.#outputs.push({ kind: 'silent', server: service.index, service: service.service, failure });
    // It may have moved.
    if (canonicalIp(service.options.host) === undefined) this.#lookUp(now, service);
  };

  /** @returns why the last look-up failed, when that was just now. */
  #lookUp(now: Instant, { index, options }: Service): Failure | undefined {
    const lookup = this.#lookups.get(index);
    if (lookup?.running) return undefined;
    if (lookup && now < lookup.since + RESOLVE_PAUSE_MS) return lookup.failure;
    this.#lookups.set(index, { running: true, since: now });
    this.#outputs.push({ kind: 'resolve', server: index, host: options.host });
    return undefined;
  }

  #lookedUp(now: Instant, server: number, failure?: Failure): void {
    this.#lookups.set(server, { running: false, since: now, ...(failure ? { failure } : {}) });
  }
}

function read(datagram: Uint8Array): ReadPacket | undefined {
  try {
    return readPacket(datagram);
  } catch (error) {
    if (error instanceof DecodeError) return undefined;
    throw error;
  }
}
