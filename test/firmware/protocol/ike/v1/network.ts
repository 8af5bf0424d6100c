/**
 * IKEv1 endpoints in memory, a network with NATs between them that a seed makes bad, and a clock that the test moves.
 */
import type { ChildSa, IkeConnection, IkeOutput } from '../../../../../firmware/protocol/ike/ike-types.ts';
import { IkeV1Endpoint } from '../../../../../firmware/protocol/ike/v1/endpoint.ts';
import type { IkeV1Limits, IkeV1Options } from '../../../../../firmware/protocol/ike/v1/endpoint-types.ts';
import type { Instant } from '../../../../../firmware/protocol/machine.ts';
import type { UdpEndpoint, UdpPath } from '../../../../../firmware/protocol/udp-path.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';

/** As two of different makers: what they agree on among themselves has tests of its own. */
const LIKE_STRANGERS = { encapsulateAmongOurselves: false };

export interface Faults {
  /** Chance that a datagram is lost, 0..1. */
  readonly loss?: number;
  /** Chance that it arrives twice. */
  readonly duplicate?: number;
  /** Up to so much later, at random, ms. */
  readonly jitterMs?: number;
  /** One way, ms. Default 10. */
  readonly delayMs?: number;
}

export type OutputOf<Kind extends IkeOutput['kind']> = Extract<IkeOutput, { kind: Kind }>;

/** Rewrites the sources of whoever is behind it. */
export class Nat {
  readonly address: string;
  #nextPort: number;
  readonly #inside = new Map<string, number>();
  readonly #outside = new Map<number, UdpEndpoint>();

  constructor(address: string, firstPort = 20_000) {
    this.address = address;
    this.#nextPort = firstPort;
  }

  out(source: UdpEndpoint): UdpEndpoint {
    const key = `${source.address}:${source.port}`;
    const known = this.#inside.get(key);
    const port = known ?? this.#nextPort++;
    this.#inside.set(key, port);
    this.#outside.set(port, source);
    return { address: this.address, port };
  }

  in(destination: UdpEndpoint): UdpEndpoint | undefined {
    return this.#outside.get(destination.port);
  }

  /** A reboot: every mapping is another one from now on. */
  forget(): void {
    this.#inside.clear();
    this.#outside.clear();
  }
}

/** A host with an IKEv1 endpoint. */
export class Host {
  readonly name: string;
  readonly address: string;
  readonly endpoint: IkeV1Endpoint;
  readonly nat: Nat | undefined;
  readonly events: IkeOutput[] = [];
  /** Installed child SAs by inbound SPI, as a data plane would have them. */
  readonly inbound = new Map<number, ChildSa>();
  /** The child SAs in the order in which they came up; the last one is sent on. */
  readonly outbound: ChildSa[] = [];
  espLost = 0;
  espReceived = 0;

  constructor(name: string, address: string, endpoint: IkeV1Endpoint, nat?: Nat) {
    this.name = name;
    this.address = address;
    this.endpoint = endpoint;
    this.nat = nat;
  }

  all<Kind extends IkeOutput['kind']>(kind: Kind): OutputOf<Kind>[] {
    return this.events.filter((event): event is OutputOf<Kind> => event.kind === kind);
  }

  last<Kind extends IkeOutput['kind']>(kind: Kind): OutputOf<Kind> | undefined {
    return this.all(kind).at(-1);
  }

  /** `sent Main Mode 1`, `received Main Mode 2` ... */
  get trace(): string[] {
    return this.all('trace').map(({ direction, message }) => `${direction} ${message}`);
  }

  /** A path to another host. */
  to(remote: string, port = 500, localPort = port): UdpPath {
    return { local: { address: this.address, port: localPort }, remote: { address: remote, port } };
  }
}

export interface Sent {
  readonly at: Instant;
  readonly from: Host;
  readonly datagram: Uint8Array;
  readonly path: UdpPath;
}

interface InFlight {
  readonly at: Instant;
  readonly order: number;
  readonly source: UdpEndpoint;
  readonly destination: UdpEndpoint;
  readonly datagram: Uint8Array;
  /** ESP of this SPI, instead of IKE. */
  readonly esp?: number;
}

export class Network {
  now: Instant = 1_000_000;
  faults: Faults;
  readonly hosts: Host[] = [];
  readonly sent: Sent[] = [];
  /** Looks at each datagram; `false`: it is lost. */
  filter: (sent: Sent) => boolean = () => true;
  /** Changes each datagram on its way. */
  mangle: (sent: Sent) => Uint8Array = ({ datagram }) => datagram;
  keepSent = true;
  readonly #seed: number;
  readonly #random: SeededRandom;
  #inFlight: InFlight[] = [];
  #order = 0;

  constructor(seed = 1, faults: Faults = {}) {
    this.#seed = seed;
    this.#random = new SeededRandom(seed);
    this.faults = faults;
  }

  add(
    name: string,
    address: string,
    connections: readonly IkeConnection[],
    nat?: Nat,
    limits: Partial<IkeV1Limits> = {},
    options: Partial<IkeV1Options> = {},
  ): Host {
    const random = new SeededRandom(this.#seed * 100 + this.hosts.length + 7);
    const host = new Host(
      name,
      address,
      new IkeV1Endpoint({ ...LIKE_STRANGERS, connections, limits, ...options }, random),
      nat,
    );
    this.hosts.push(host);
    return host;
  }

  /** Replaces a host by one that remembers nothing: a reboot. */
  reboot(host: Host, connections: readonly IkeConnection[]): Host {
    this.hosts.splice(this.hosts.indexOf(host), 1);
    const random = new SeededRandom(this.#seed * 100 + 50 + this.hosts.length);
    const reborn = new Host(
      host.name,
      host.address,
      new IkeV1Endpoint({ ...LIKE_STRANGERS, connections }, random),
      host.nat,
    );
    this.hosts.push(reborn);
    return reborn;
  }

  run(ms: number): void {
    this.runUntil(() => false, ms);
  }

  runUntil(condition: () => boolean, ms: number): boolean {
    const end = this.now + ms;
    for (;;) {
      this.drain();
      if (condition()) return true;
      const next = this.#nextInstant();
      if (next === undefined || next > end) {
        this.now = end;
        for (const { endpoint } of this.hosts) endpoint.tick(end);
        this.drain();
        return condition();
      }
      this.now = Math.max(this.now, next);
      this.#deliver();
      for (const { endpoint } of this.hosts) endpoint.tick(this.now);
    }
  }

  drain(): void {
    for (const host of this.hosts) this.#drain(host);
  }

  /** One ESP packet on the SA that the host sends on. */
  sendEsp(host: Host, remote: UdpEndpoint): void {
    const child = host.outbound.at(-1);
    if (child === undefined) return;
    const { delayMs = 10 } = this.faults;
    this.#inFlight.push({
      at: this.now + delayMs,
      order: this.#order++,
      source: { address: host.address, port: 4500 },
      destination: remote,
      datagram: new Uint8Array(0),
      esp: child.outboundSpi,
    });
  }

  /** Hands a host a datagram, past the network. */
  inject(host: Host, datagram: Uint8Array, path: UdpPath): void {
    host.endpoint.receive(this.now, datagram, path);
    this.drain();
  }

  #nextInstant(): Instant | undefined {
    let earliest: Instant | undefined;
    const instants = [
      ...this.hosts.map(({ endpoint }) => endpoint.nextDeadline()),
      ...this.#inFlight.map(({ at }) => at),
    ];
    for (const at of instants) if (at !== undefined && (earliest === undefined || at < earliest)) earliest = at;
    return earliest;
  }

  #deliver(): void {
    const due = this.#inFlight.filter((one) => one.at <= this.now);
    this.#inFlight = this.#inFlight.filter((one) => one.at > this.now);
    due.sort((a, b) => a.at - b.at || a.order - b.order);
    for (const { source, destination, datagram, esp } of due) {
      const translated = this.hosts.find(({ nat }) => nat?.address === destination.address)?.nat?.in(destination);
      const local = translated ?? destination;
      const host = this.hosts.find(({ address }) => address === local.address);
      if (host === undefined) continue;
      if (esp === undefined) host.endpoint.receive(this.now, datagram, { local, remote: source });
      else this.#receiveEsp(host, esp);
      this.#drain(host);
    }
  }

  #receiveEsp(host: Host, spi: number): void {
    const child = host.inbound.get(spi);
    if (child === undefined) host.espLost += 1;
    else {
      host.espReceived += 1;
      host.endpoint.espReceived(this.now, child.id);
    }
  }

  #drain(host: Host): void {
    for (let output = host.endpoint.poll(); output !== undefined; output = host.endpoint.poll()) {
      if (output.kind === 'send') this.#send(host, output.datagram, output.path);
      else this.#note(host, output);
    }
  }

  #note(host: Host, output: IkeOutput): void {
    host.events.push(output);
    if (output.kind === 'child-up') {
      host.inbound.set(output.child.inboundSpi, output.child);
      if (output.receiveOnly === true) host.outbound.unshift(output.child);
      else host.outbound.push(output.child);
    } else if (output.kind === 'child-send') {
      const at = host.outbound.findIndex(({ id }) => id === output.childId);
      host.outbound.push(...host.outbound.splice(at, 1));
    } else if (output.kind === 'child-down') {
      const at = host.outbound.findIndex(({ id }) => id === output.childId);
      const [child] = at < 0 ? [] : host.outbound.splice(at, 1);
      if (child !== undefined) host.inbound.delete(child.inboundSpi);
    }
  }

  #send(host: Host, datagram: Uint8Array, path: UdpPath): void {
    const sent = { at: this.now, from: host, datagram, path };
    if (this.keepSent) this.sent.push(sent);
    const { loss = 0, duplicate = 0, jitterMs = 0, delayMs = 10 } = this.faults;
    if (!this.filter(sent) || this.#random.next() < loss) return;
    const local = { ...path.local, address: host.address };
    const source = host.nat === undefined ? local : host.nat.out(local);
    const copies = this.#random.next() < duplicate ? 2 : 1;
    const mangled = this.mangle(sent);
    for (let i = 0; i < copies; i += 1) {
      const at = this.now + delayMs + this.#random.int(jitterMs + 1);
      this.#inFlight.push({ at, order: this.#order++, source, destination: path.remote, datagram: mangled });
    }
  }
}
