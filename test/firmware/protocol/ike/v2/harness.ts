/**
 * Two IKEv2 endpoints in memory. Messages are handed over one at a time by the test, or by a network that a seed makes
 * bad.
 */
import type {
  ChildSa,
  IkeConnection,
  IkeOutput,
  TrafficSelector,
} from '../../../../../firmware/protocol/ike/ike-types.ts';
import { IkeV2Endpoint } from '../../../../../firmware/protocol/ike/v2/endpoint.ts';
import { decodeHeader } from '../../../../../firmware/protocol/ike/v2/header.ts';
import { exchangeName } from '../../../../../firmware/protocol/ike/v2/numbers.ts';
import type { IkeV2Options } from '../../../../../firmware/protocol/ike/v2/settings.ts';
import type { IkeSaView } from '../../../../../firmware/protocol/ike/v2/view.ts';
import type { Instant, RandomSource } from '../../../../../firmware/protocol/machine.ts';
import type { UdpEndpoint, UdpPath } from '../../../../../firmware/protocol/udp-path.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';

export type Side = 'left' | 'right';
export type OutputOf<Kind extends IkeOutput['kind']> = Extract<IkeOutput, { kind: Kind }>;

export const LEFT_ADDRESS = '192.0.2.1';
export const RIGHT_ADDRESS = '192.0.2.2';
export const PATH: UdpPath = {
  local: { address: LEFT_ADDRESS, port: 500 },
  remote: { address: RIGHT_ADDRESS, port: 500 },
};

/** The same once IKE has moved on: those who know MOBIKE go to port 4500 whether there is a NAT or not. */
export const MOVED_PATH: UdpPath = {
  local: { address: LEFT_ADDRESS, port: 4500 },
  remote: { address: RIGHT_ADDRESS, port: 4500 },
};

export const FAST_IKE = { encryption: 'aes128gcm16', prf: 'sha256', group: 'x25519' } as const;
export const FAST_ESP = { encryption: 'aes128gcm16', esn: false } as const;

export const LEFT: IkeConnection = {
  name: 'office',
  version: 2,
  remote: RIGHT_ADDRESS,
  localId: { kind: 'fqdn', value: 'left.example' },
  remoteId: { kind: 'fqdn', value: 'right.example' },
  authentication: { kind: 'psk', key: Buffer.from('correct horse battery staple') },
  mode: 'tunnel',
  localSelectors: [net('10.1.0')],
  remoteSelectors: [net('10.2.0')],
  ikeProposals: [FAST_IKE],
  espProposals: [FAST_ESP],
  dpdSeconds: 0,
};

export const RIGHT: IkeConnection = {
  ...LEFT,
  name: 'branch',
  remote: 'any',
  localId: { kind: 'fqdn', value: 'right.example' },
  remoteId: { kind: 'fqdn', value: 'left.example' },
  localSelectors: [net('10.2.0')],
  remoteSelectors: [net('10.1.0')],
};

/** All of `prefix`.0/24. */
export function net(prefix: string): TrafficSelector {
  return {
    protocol: 0,
    firstPort: 0,
    lastPort: 65535,
    firstAddress: `${prefix}.0`,
    lastAddress: `${prefix}.255`,
  };
}

/** As two of different makers: what they agree on among themselves has tests of its own. */
const LIKE_STRANGERS = { encapsulateAmongOurselves: false };

export interface Faults {
  /** Chance that a datagram is lost, 0..1. */
  readonly loss?: number;
  /** Chance that it arrives twice. */
  readonly duplicate?: number;
  /** Up to so much later, ms. */
  readonly jitterMs?: number;
}

export interface HarnessOptions {
  readonly seed?: number;
  readonly left?: Partial<IkeConnection>;
  readonly right?: Partial<IkeConnection>;
  readonly leftOptions?: Partial<IkeV2Options>;
  readonly rightOptions?: Partial<IkeV2Options>;
  readonly faults?: Faults;
  /** Address and port that the network shows of a sender. */
  readonly translate?: (end: UdpEndpoint) => UdpEndpoint;
}

/** A datagram on its way. */
export interface Flying {
  readonly from: Side;
  readonly datagram: Uint8Array;
  /** As the sender sees it. */
  readonly path: UdpPath;
  /** `CREATE_CHILD_SA request 3`. */
  readonly name: string;
  readonly at: Instant;
  readonly order: number;
}

/** What a data plane would hold. */
export class SaTable {
  readonly children = new Map<number, ChildSa>();
  /** The one that is sent on. */
  sending: number | undefined;

  apply(output: IkeOutput): void {
    if (output.kind === 'child-up') {
      this.children.set(output.child.id, output.child);
      if (!output.receiveOnly) this.sending = output.child.id;
    } else if (output.kind === 'child-send') this.sending = output.childId;
    else if (output.kind === 'child-down') {
      this.children.delete(output.childId);
      if (this.sending === output.childId) this.sending = undefined;
    }
  }

  get outboundSpi(): number | undefined {
    return this.sending === undefined ? undefined : this.children.get(this.sending)?.outboundSpi;
  }

  byInboundSpi(spi: number | undefined): ChildSa | undefined {
    return [...this.children.values()].find(({ inboundSpi }) => inboundSpi === spi);
  }
}

export class Harness {
  left: IkeV2Endpoint;
  right: IkeV2Endpoint;
  readonly events: Record<Side, IkeOutput[]> = { left: [], right: [] };
  readonly tables: Record<Side, SaTable> = { left: new SaTable(), right: new SaTable() };
  flying: Flying[] = [];
  /** Names of all that was sent, with the side. */
  readonly log: string[] = [];
  now: Instant = 1_000_000;
  faults: Faults;
  translate: (end: UdpEndpoint) => UdpEndpoint;
  readonly options: HarnessOptions;
  readonly #random: SeededRandom;
  #order = 0;

  constructor(options: HarnessOptions = {}) {
    const seed = options.seed ?? 1;
    this.options = options;
    this.#random = new SeededRandom(seed);
    this.faults = options.faults ?? {};
    this.translate = options.translate ?? ((end) => end);
    this.left = this.#endpoint('left', new SeededRandom(seed + 1_000_000));
    this.right = this.#endpoint('right', new SeededRandom(seed + 2_000_000));
  }

  #endpoint(side: Side, random: RandomSource): IkeV2Endpoint {
    const { left, right, leftOptions, rightOptions } = this.options;
    return side === 'left'
      ? new IkeV2Endpoint({ ...LIKE_STRANGERS, connections: [{ ...LEFT, ...left }], ...leftOptions }, random)
      : new IkeV2Endpoint({ ...LIKE_STRANGERS, connections: [{ ...RIGHT, ...right }], ...rightOptions }, random);
  }

  /** The power goes off and on again. */
  reboot(side: Side): void {
    this[side] = this.#endpoint(side, new SeededRandom(this.#random.int(1_000_000_000)));
    this.tables[side].children.clear();
    this.tables[side].sending = undefined;
  }

  /** Left calls. @returns ikeId. */
  initiate(path: UdpPath = PATH): number {
    const id = this.left.initiate(this.now, 'office', path);
    this.drain();
    return id;
  }

  /** Both up on a good network. */
  connect(path: UdpPath = PATH): this {
    this.initiate(path);
    this.deliverAll();
    return this;
  }

  endpoint(side: Side): IkeV2Endpoint {
    return this[side];
  }

  /** Hands datagrams to the network and events to the lists. */
  drain(): void {
    for (const side of ['left', 'right'] as const) {
      for (;;) {
        const output = this[side].poll();
        if (output === undefined) break;
        if (output.kind === 'send') this.#launch(side, output);
        else {
          this.events[side].push(output);
          this.tables[side].apply(output);
        }
      }
    }
  }

  #launch(from: Side, { datagram, path }: OutputOf<'send'>): void {
    const header = decodeHeader(datagram);
    const what = `${exchangeName(header.exchange)} ${header.response ? 'response' : 'request'} ${header.messageId}`;
    this.log.push(`${from}: ${what}`);
    const { loss = 0, duplicate = 0, jitterMs = 0 } = this.faults;
    const copies = this.#random.next() < duplicate ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (this.#random.next() < loss) continue;
      const at = this.now + 10 + this.#random.int(jitterMs + 1);
      this.#order += 1;
      this.flying.push({ from, datagram, path, name: what, at, order: this.#order });
    }
  }

  /** Takes the next datagram of a sender out of the network. */
  take(from: Side, name = ''): Flying {
    const found = this.flying.find((one) => one.from === from && one.name.includes(name));
    if (found === undefined) throw new Error(`nothing like ${name} of ${from}: ${this.flying.map((f) => f.name)}`);
    this.flying = this.flying.filter((one) => one !== found);
    return found;
  }

  /** Hands a datagram over to the other side. */
  deliver({ from, datagram, path }: Flying): void {
    const to: Side = from === 'left' ? 'right' : 'left';
    const seen = from === 'left' ? this.translate(path.local) : path.local;
    // What goes back to the translated address comes to the one behind it: there is but one.
    const own = from === 'left' ? path.remote : this[to] === this.left ? this.#behind(path.remote) : path.remote;
    this[to].receive(this.now, datagram, { local: own, remote: seen });
    this.drain();
  }

  #behind(seen: UdpEndpoint): UdpEndpoint {
    for (const port of [500, 4500]) {
      const outside = this.translate({ address: LEFT_ADDRESS, port });
      if (outside.address === seen.address && outside.port === seen.port) return { address: LEFT_ADDRESS, port };
    }
    return seen;
  }

  /** Takes and hands over. */
  pass(from: Side, name = ''): Flying {
    const one = this.take(from, name);
    this.deliver(one);
    return one;
  }

  /** In the order in which they were sent, until nothing flies. */
  deliverAll(): void {
    this.drain();
    for (let count = 0; this.flying.length > 0; count += 1) {
      if (count > 10_000) throw new Error('the two never come to rest');
      const [first] = this.flying;
      this.flying = this.flying.slice(1);
      if (first !== undefined) this.deliver(first);
    }
  }

  /** Lets time pass; datagrams arrive when they do. @returns whether the condition was met. */
  runUntil(condition: () => boolean, ms: number, each: () => void = () => {}): boolean {
    const end = this.now + ms;
    for (;;) {
      this.drain();
      each();
      if (condition()) return true;
      const next = this.#nextInstant();
      if (next === undefined || next > end) {
        this.now = end;
        this.left.tick(end);
        this.right.tick(end);
        this.drain();
        return condition();
      }
      this.now = Math.max(this.now, next);
      const due = this.flying.filter(({ at }) => at <= this.now).sort((a, b) => a.at - b.at || a.order - b.order);
      this.flying = this.flying.filter(({ at }) => at > this.now);
      for (const one of due) this.deliver(one);
      this.left.tick(this.now);
      this.right.tick(this.now);
    }
  }

  run(ms: number, each?: () => void): void {
    this.runUntil(() => false, ms, each);
  }

  #nextInstant(): Instant | undefined {
    const instants = [this.left.nextDeadline(), this.right.nextDeadline(), ...this.flying.map(({ at }) => at)];
    return instants.reduce((first, next) => (first === undefined || (next ?? first) < first ? next : first), undefined);
  }

  /** Each side sends an ESP packet. @returns sides whose packet the other one could not have decrypted. */
  traffic(): readonly Side[] {
    const lost: Side[] = [];
    for (const from of ['left', 'right'] as const) {
      const to: Side = from === 'left' ? 'right' : 'left';
      const child = this.tables[to].byInboundSpi(this.tables[from].outboundSpi);
      if (child === undefined) lost.push(from);
      else this[to].espReceived(this.now, child.id);
    }
    this.drain();
    return lost;
  }

  all<Kind extends IkeOutput['kind']>(side: Side, kind: Kind): OutputOf<Kind>[] {
    return this.events[side].filter((event) => event.kind === kind) as OutputOf<Kind>[];
  }

  last<Kind extends IkeOutput['kind']>(side: Side, kind: Kind): OutputOf<Kind> {
    const found = this.all(side, kind).at(-1);
    if (found === undefined) throw new Error(`${side} has no ${kind}: ${JSON.stringify(this.all(side, 'ike-down'))}`);
    return found;
  }

  /** IKE SAs that stand. */
  live(side: Side): readonly IkeSaView[] {
    return this[side].views(this.now).filter(({ state }) => state === 'established');
  }

  /** The only child that is in use. */
  child(side: Side): ChildSa {
    const children = [...this.tables[side].children.values()];
    const [only] = children;
    if (only === undefined || children.length > 1) throw new Error(`${side} has ${children.length} children`);
    return only;
  }

  /** The only IKE SA that stands. */
  ikeId(side: Side): number {
    const [only, ...more] = this.live(side);
    if (only === undefined || more.length > 0) throw new Error(`${side} has ${more.length + (only ? 1 : 0)} IKE SAs`);
    return only.ikeId;
  }
}

/** One IKE SA and one child at each side, and they fit together. */
export function problems(harness: Harness): string[] {
  const found: string[] = [];
  for (const side of ['left', 'right'] as const) {
    if (harness.live(side).length !== 1) found.push(`${side} has ${harness.live(side).length} IKE SAs`);
    const { children, sending } = harness.tables[side];
    if (children.size !== 1) found.push(`${side} has ${children.size} children`);
    if (sending === undefined) found.push(`${side} sends on nothing`);
    const views = harness.live(side)[0]?.children ?? [];
    if (views.length !== children.size) found.push(`${side} was not told of all its children`);
  }
  const lost = harness.traffic();
  if (lost.length > 0) found.push(`what ${lost.join(' and ')} sends is lost`);
  const [left] = harness.live('left');
  const [right] = harness.live('right');
  if (left && right && Buffer.compare(left.spiI, right.spiI) !== 0) found.push('the IKE SAs are not the same');
  return found;
}
