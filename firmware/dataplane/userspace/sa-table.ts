/** The SA pairs that the engine was programmed with: by key, and by the SPI of what comes in. */
import type { PacketCipherFactory } from '../../../hal/packet-cipher.ts';
import type { Instant, RandomSource } from '../../protocol/machine.ts';
import type { PolicyKey, SaCounters, SaKey, SaSpec } from '../data-plane.ts';
import type { Policy } from './policy-table.ts';
import { SaPair } from './sa-pair.ts';

export class SaTable {
  readonly #ciphers: PacketCipherFactory;
  readonly #random: RandomSource;
  readonly #pairs = new Map<SaKey, SaPair>();
  readonly #bySpi = new Map<number, SaPair>();
  /** With their policies. */
  readonly #retired = new Map<SaKey, PolicyKey>();
  /** Remote addresses of the pairs, with how many pairs each has. */
  readonly #peers = new Map<string, number>();

  constructor(ciphers: PacketCipherFactory, random: RandomSource) {
    this.#ciphers = ciphers;
    this.#random = random;
  }

  /**
   * Adds a pair, or replaces what may change of the one of the same key. Nothing happens to one that was retired.
   * @param policy which it protects.
   * @throws HalError or EncodeError when there is no such cipher or something makes no sense; all stays as it was.
   */
  put(spec: SaSpec, policy: Policy, now: Instant): void {
    const known = this.#pairs.get(spec.key);
    if (this.#retired.has(spec.key)) return;
    if (known !== undefined) {
      this.#countPeer(known, -1);
      try {
        known.program(spec);
      } finally {
        this.#countPeer(known, 1);
      }
      return;
    }
    const pair = new SaPair(spec, policy, this.#ciphers, this.#random, now);
    this.#pairs.set(spec.key, pair);
    this.#bySpi.set(pair.inbound.spi, pair);
    this.#countPeer(pair, 1);
  }

  /**
   * Removes a pair of which the control thread does not know yet that it is of no use. Until it has removed it, too, the
   * pair must not come back: its sequence numbers, and with them nonces, would begin anew under the same key.
   */
  retire({ key, policy }: SaPair): void {
    this.remove(key);
    this.#retired.set(key, policy.key);
  }

  /** Wipes its keys; its policy sends by it no more. Harmless when it is not here. */
  remove(key: SaKey): void {
    this.#retired.delete(key);
    const pair = this.#pairs.get(key);
    if (pair === undefined) return;
    this.#pairs.delete(key);
    if (this.#bySpi.get(pair.inbound.spi) === pair) this.#bySpi.delete(pair.inbound.spi);
    this.#countPeer(pair, -1);
    if (pair.policy.sa === pair) pair.policy.sa = undefined;
    pair.close();
  }

  /** Removes all pairs of a policy. */
  removeOf(policy: PolicyKey): void {
    for (const pair of this.#pairs.values()) if (pair.policy.key === policy) this.remove(pair.key);
    for (const [key, its] of this.#retired) if (its === policy) this.#retired.delete(key);
  }

  clear(): void {
    for (const key of this.#pairs.keys()) this.remove(key);
  }

  pair(key: SaKey): SaPair | undefined {
    return this.#pairs.get(key);
  }

  bySpi(spi: number): SaPair | undefined {
    return this.#bySpi.get(spi);
  }

  /** Whether some pair has the address as its peer. */
  isPeer(address: string): boolean {
    return this.#peers.has(address);
  }

  /** The pair sends elsewhere from now on. */
  move(pair: SaPair, address: string, port: number): void {
    this.#countPeer(pair, -1);
    pair.moveTo(address, port);
    this.#countPeer(pair, 1);
  }

  counters(): readonly SaCounters[] {
    return [...this.#pairs.values()].map((pair) => pair.counters());
  }

  #countPeer(pair: SaPair, difference: number): void {
    const { address } = pair.path.remote;
    const count = (this.#peers.get(address) ?? 0) + difference;
    if (count > 0) this.#peers.set(address, count);
    else this.#peers.delete(address);
  }
}
