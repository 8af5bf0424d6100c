/** What a cross-field rule is: something that no single key can say of itself. */
import { parseIpv4 } from '../protocol/ip-address.ts';
import type { Problem } from './problem.ts';
import type { Configuration } from './schema.ts';

/** What a rule has to say; severity and rule name are added by the one who runs it. */
export type Finding = Pick<Problem, 'path' | 'found' | 'allowed' | 'suggestion'>;

export interface ConfigurationRule {
  /** Stable, for programs: `networks-overlap`. */
  readonly name: string;
  readonly severity: 'error' | 'warning';
  /** What the rule says of every configuration that keeps it; one sentence, for the reference. */
  readonly description: string;
  /** Everything in this configuration that breaks the rule. The configuration fits the schema. */
  readonly check: (configuration: Configuration) => Iterable<Finding>;
}

/** An address that the schema has already found to be one. */
export function ipv4(text: string): number {
  return parseIpv4(text) ?? 0;
}

/** Whether a host can have this address: not in 0.0.0.0/8, loopback, multicast, reserved or the limited broadcast. */
export function isHostAddress(address: number): boolean {
  const first = address >>> 24;
  return first !== 0 && first !== 127 && first < 224;
}

/** Entries of `items` whose `key` an earlier one had, each with that earlier one. */
export function* repeated<T>(items: Iterable<T>, key: (item: T) => string): Iterable<readonly [T, T]> {
  const seen = new Map<string, T>();
  for (const item of items) {
    const earlier = seen.get(key(item));
    if (earlier === undefined) seen.set(key(item), item);
    else yield [item, earlier];
  }
}
