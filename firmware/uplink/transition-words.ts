/** What to say of a change of the uplinks: what happened, why, and who carries the traffic now. */
import { isDeepStrictEqual } from 'node:util';
import type { Verdict } from './health.ts';

/** An uplink as it is told of. */
export interface Told {
  readonly name: string;
  readonly verdict: Verdict;
  /** Why it is not well, or is doubted. */
  readonly why: string;
  readonly doubted: boolean;
  readonly hungUp: boolean;
  /** Why its link does not come up, in one line. */
  readonly failure?: string;
}

export interface Transition {
  /** Which uplink it is about. */
  readonly uplink: string;
  /** A sentence without a full stop. */
  readonly text: string;
}

/** Who carries the traffic, and who shares it. */
export interface Carriage {
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly sharedBefore: readonly string[];
  readonly shares: readonly Share[];
}

export interface Share {
  readonly name: string;
  readonly weight: number;
}

export function transitions(
  before: ReadonlyMap<string, Told>,
  after: ReadonlyMap<string, Told>,
  carrying: Carriage,
): Transition[] {
  const said: Transition[] = [];
  const change = carriageWords(before, after, carrying);
  if (change !== undefined) said.push(change);
  for (const [name, now] of after) {
    const was = before.get(name);
    // What the change of the carriage has told is not told twice.
    if (name === change?.uplink || was === undefined) continue;
    const words = verdictWords(was, now);
    const isCarrier = change !== undefined && name === carrying.after;
    if (words !== undefined && !isCarrier) said.push({ uplink: name, text: words });
  }
  const shared = shareWords(carrying);
  if (shared !== undefined) said.push(shared);
  return said;
}

/** `dsl and cable share the traffic, 2 to 1`; that one is alone again where it was not said that it carries the traffic. */
function shareWords({ before, after, sharedBefore, shares }: Carriage): Transition | undefined {
  const names = shares.map(({ name }) => name);
  if (after === undefined || isDeepStrictEqual(names, sharedBefore)) return undefined;
  const last = names.at(-1) ?? '';
  if (names.length > 1) {
    const parts = shares.map(({ weight }) => weight).join(' to ');
    return { uplink: after, text: `${names.slice(0, -1).join(', ')} and ${last} share the traffic, ${parts}` };
  }
  if (sharedBefore.length < 2 || before !== after) return undefined;
  return { uplink: after, text: `${after} carries the traffic alone` };
}

function carriageWords(
  before: ReadonlyMap<string, Told>,
  after: ReadonlyMap<string, Told>,
  { before: from, after: to }: { readonly before: string | undefined; readonly after: string | undefined },
): Transition | undefined {
  if (from === to) return undefined;
  const left = from === undefined ? undefined : after.get(from);
  if (from === undefined || to === undefined) {
    if (to !== undefined) return { uplink: to, text: `${to} carries the traffic` };
    const why = left === undefined ? `${from} is not configured any more` : `${from} left: ${left.why}`;
    return { uplink: from ?? '', text: `${why}; no other uplink stands` };
  }
  if (left === undefined) return { uplink: to, text: `${from} is not configured any more; ${to} carries the traffic` };
  if (left.verdict !== 'well' || left.doubted)
    return { uplink: from, text: `${from} left: ${left.why}; ${to} carries the traffic` };
  const was = before.get(to);
  const again = was !== undefined && was.verdict !== 'well' && was.verdict !== 'down' ? 'is well again' : 'is well';
  return { uplink: to, text: `${to} ${again} and comes before ${from}; it carries the traffic` };
}

function verdictWords(was: Told, now: Told): string | undefined {
  if (was.doubted !== now.doubted) {
    return now.doubted ? `${now.name} counts as degraded: ${now.why}` : `${now.name} is not doubted any more`;
  }
  if (now.verdict === 'down' && now.failure !== undefined && now.failure !== was.failure) {
    return `${now.name} is down: ${now.failure}`;
  }
  if (was.verdict === now.verdict) return undefined;
  switch (now.verdict) {
    case 'well':
      return `${now.name} is well`;
    case 'degraded':
      return `${now.name} is degraded: ${now.why}`;
    case 'recovering':
      return was.verdict === 'failed' || was.verdict === 'down' ? `${now.name} stands: ${now.why}` : undefined;
    case 'failed':
      return `${now.name} has failed: ${now.why}`;
    case 'down':
      return now.hungUp ? `${now.name} is down, as it was asked to be` : `${now.name} is down: ${now.why}`;
  }
}
