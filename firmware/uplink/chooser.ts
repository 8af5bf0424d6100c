/** Which uplink carries the traffic, and which ones are to be connected. Pure: from what each is like now to the choice. */
import type { Instant } from '../protocol/machine.ts';
import type { Verdict } from './health.ts';

export interface Candidate {
  readonly name: string;
  /** The lowest is the best. */
  readonly priority: number;
  /** Its part of new connections among equals, the highest of which is the best for what cannot be parted. */
  readonly weight: number;
  /** Connected only while no better one is well. */
  readonly cold: boolean;
  readonly verdict: Verdict;
  /** What speaks against it beside its probes; it counts as degraded then. */
  readonly doubt?: string;
  /** Somebody has hung it up by hand. */
  readonly hungUp: boolean;
  /** Since when nothing keeps it from being well, while that may still take a moment: it is connecting for the first time. */
  readonly startingSince?: Instant;
}

/** How long a cold uplink waits for better ones that are still on their way up, ms. */
const START_GRACE_MS = 15_000;

/** The lower the better. */
const QUALITY: Readonly<Record<Verdict, number>> = { well: 0, degraded: 1, recovering: 2, failed: 3, down: 4 };

function quality({ verdict, doubt }: Candidate): number {
  return doubt !== undefined && verdict === 'well' ? QUALITY.degraded : QUALITY[verdict];
}

/**
 * The one that carries the traffic; `undefined` where none has a link. One that is silent is better than none: it may be what
 * it is asked for that is silent. Among equally bad ones nothing changes.
 * @param carrying the one that does so now.
 */
export function choose(candidates: readonly Candidate[], carrying: string | undefined): string | undefined {
  const usable = candidates.filter(({ verdict, hungUp }) => verdict !== 'down' && !hungUp);
  const current = usable.find(({ name }) => name === carrying);
  const best = usable.toSorted(better)[0];
  if (best === undefined) return undefined;
  if (current === undefined || current === best) return best.name;
  if (quality(current) > quality(best)) return best.name;
  // Neither has proved itself, or both are silent: going over to the other would only interrupt what may still pass.
  if (quality(best) >= QUALITY.recovering) return current.name;
  const same = best.priority === current.priority && best.weight === current.weight;
  return same ? current.name : best.name;
}

/**
 * Which ones share the new connections with the one that carries the traffic, itself among them: those of its
 * priority that are well. One that is not shares with nobody. A cold one stands for emergencies only, and shares nothing unless it carries the traffic.
 */
export function sharers(candidates: readonly Candidate[], carrying: string | undefined): readonly Candidate[] {
  const current = candidates.find(({ name }) => name === carrying);
  if (current === undefined) return [];
  if (quality(current) !== QUALITY.well) return [current];
  const joins = (other: Candidate): boolean =>
    !other.hungUp && !other.cold && other.priority === current.priority && quality(other) === QUALITY.well;
  return candidates.filter((other) => other === current || joins(other));
}

function better(a: Candidate, b: Candidate): number {
  return quality(a) - quality(b) || a.priority - b.priority || b.weight - a.weight;
}

/**
 * Whether it is to be connected. A warm one always; a cold one while no better one is well, and as long as it carries the
 * traffic itself.
 */
export function isWanted(
  candidate: Candidate,
  all: readonly Candidate[],
  carrying: string | undefined,
  now: Instant,
): boolean {
  if (candidate.hungUp) return false;
  if (!candidate.cold || candidate.name === carrying) return true;
  return !betterOnes(candidate, all).some(
    (other) =>
      quality(other) === QUALITY.well ||
      (other.startingSince !== undefined && now < other.startingSince + START_GRACE_MS),
  );
}

/** When {@link isWanted} may change by time alone. */
export function graceEnds({ startingSince }: Candidate): Instant | undefined {
  return startingSince === undefined ? undefined : startingSince + START_GRACE_MS;
}

/** Those that would be taken before it if all were well. */
function betterOnes(candidate: Candidate, all: readonly Candidate[]): readonly Candidate[] {
  return all.filter(
    (other) =>
      other !== candidate &&
      !other.hungUp &&
      (other.priority < candidate.priority || (other.priority === candidate.priority && !other.cold)),
  );
}
