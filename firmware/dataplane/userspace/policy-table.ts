/** The policies that the engine was programmed with, and which of them covers a packet from a TUN. */
import { type Flow, SaSelectors } from '../../protocol/esp/selectors.ts';
import type { InterfaceId, PolicyCounters, PolicyKey, PolicySpec } from '../data-plane.ts';
import type { SaPair } from './sa-pair.ts';
import { TokenBucket } from './token-bucket.ts';

/** Why packets that a policy covers were dropped. */
export interface PolicyDrops {
  /** There is no pair to send by. */
  noSa: number;
  /** The pair may not carry it. */
  selectors: number;
  /** Larger than what fits, and not to be fragmented. */
  tooBig: number;
  /** The TUN would not take it: down, gone, or its queue full. */
  tunRefused: number;
  /** Too many L2TP control messages for the control thread. */
  controlRate: number;
}

/**
 * L2TP control messages a second that one peer may hand to the control thread. A peer that dials a hundred calls at once
 * sends some five hundred; one that is in a position to send more is at fault or an attacker.
 */
const CONTROL_MESSAGES_PER_SECOND = 500;
/** At once: no more than a quarter of what may wait for the control thread. */
const CONTROL_MESSAGES_BURST = 250;

export class Policy {
  readonly key: PolicyKey;
  #inside: PolicySpec['inside'];
  /** Of kind `ip`: what it covers. */
  #selectors: SaSelectors | undefined;
  readonly controlMessages = new TokenBucket(CONTROL_MESSAGES_PER_SECOND, CONTROL_MESSAGES_BURST);
  /** The pair to send by. */
  sa: SaPair | undefined;
  readonly drops: PolicyDrops = { noSa: 0, selectors: 0, tooBig: 0, tunRefused: 0, controlRate: 0 };

  /** @throws EncodeError when a selector makes no sense. */
  constructor(spec: PolicySpec) {
    this.key = spec.key;
    this.#inside = spec.inside;
    this.#selectors = selectorsOf(spec.inside);
  }

  get inside(): PolicySpec['inside'] {
    return this.#inside;
  }

  /** @throws EncodeError when a selector makes no sense; all stays as it was. */
  program(spec: PolicySpec, sa: SaPair | undefined): void {
    this.#selectors = selectorsOf(spec.inside);
    this.#inside = spec.inside;
    this.sa = sa;
  }

  /** Whether a packet is one that it covers, in either direction. */
  covers(flow: Flow): boolean {
    return this.#selectors?.match(flow) ?? false;
  }

  counters(): PolicyCounters {
    return { key: this.key, drops: { ...this.drops } };
  }
}

export class PolicyTable {
  readonly #policies = new Map<PolicyKey, Policy>();
  /** In the order in which they were added. */
  readonly #byInterface = new Map<InterfaceId, Policy[]>();

  /** @param sa the pair to send by. @throws EncodeError when a selector makes no sense; all stays as it was. */
  put(spec: PolicySpec, sa: SaPair | undefined): void {
    const policy = this.#policies.get(spec.key) ?? new Policy(spec);
    policy.program(spec, sa?.policy === policy ? sa : undefined);
    this.#policies.set(spec.key, policy);
    this.#sort();
  }

  remove(key: PolicyKey): void {
    if (this.#policies.delete(key)) this.#sort();
  }

  policy(key: PolicyKey): Policy | undefined {
    return this.#policies.get(key);
  }

  /** Whether any policy takes packets of this interface. */
  has(from: InterfaceId): boolean {
    return this.#byInterface.has(from);
  }

  /** The first policy of this interface that covers the packet. */
  covering(from: InterfaceId, flow: Flow): Policy | undefined {
    const policies = this.#byInterface.get(from);
    if (policies === undefined) return undefined;
    for (const policy of policies) if (policy.covers(flow)) return policy;
    return undefined;
  }

  counters(): readonly PolicyCounters[] {
    return [...this.#policies.values()].map((policy) => policy.counters());
  }

  #sort(): void {
    this.#byInterface.clear();
    for (const policy of this.#policies.values()) {
      if (policy.inside.kind !== 'ip') continue;
      const policies = this.#byInterface.get(policy.inside.interface);
      if (policies === undefined) this.#byInterface.set(policy.inside.interface, [policy]);
      else policies.push(policy);
    }
  }
}

function selectorsOf(inside: PolicySpec['inside']): SaSelectors | undefined {
  return inside.kind === 'ip' ? new SaSelectors(inside.localSelectors, inside.remoteSelectors) : undefined;
}
