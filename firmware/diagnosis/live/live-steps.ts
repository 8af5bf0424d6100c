/** What the log of a connection says of the steps of its last attempts. */
import type { Failure } from '../../protocol/machine.ts';
import type { LadderStep } from '../ladder.ts';

/** Lines shown of a step. */
const MAX_LINES = 4;

const STEPS: readonly (readonly [RegExp, LadderStep])[] = [
  [/^resolve\b/, 'dns'],
  [/^((sent|received) )?(Main Mode|IKE_SA_INIT)/, 'ike'],
  [/^((sent|received) )?IKE_AUTH/, 'ike-authentication'],
  [/^((sent|received) )?(Quick Mode|CREATE_CHILD_SA)/, 'child-sa'],
  [/^(sent|received) (SCCRQ|SCCRP|SCCCN|StopCCN)/, 'l2tp-tunnel'],
  [/^(sent|received) (ICRQ|ICRP|ICCN|OCRQ|OCRP|OCCN|CDN)/, 'l2tp-session'],
  [/^(sent|received) LCP/, 'lcp'],
  [/^(sent|received) (PAP|CHAP|EAP)/, 'ppp-authentication'],
  [/^(sent|received) IPCP/, 'ipcp'],
  [/^(sent|received) IPV6CP/, 'ipv6cp'],
];

/** The last attempt of which the steps were logged: those that fail like the one before are logged without them. */
function lastTold(log: readonly string[]): readonly string[] {
  const attempts: string[][] = [[]];
  for (const line of log) {
    if (line === 'connecting') attempts.push([]);
    attempts.at(-1)?.push(line);
  }
  return attempts.findLast((lines) => lines.some((line) => /^(sent|received) /.test(line))) ?? attempts.at(-1) ?? [];
}

export function stepsOfLog(log: readonly string[]): ReadonlyMap<LadderStep, readonly string[]> {
  const found = new Map<LadderStep, string[]>();
  for (const line of lastTold(log)) {
    const step = STEPS.find(([pattern]) => pattern.test(line))?.[1];
    if (step === undefined) continue;
    const lines = found.get(step) ?? [];
    found.set(step, [...lines, line].slice(-MAX_LINES));
  }
  return found;
}

/** `session ended: bob: IPCP: every address of the pool is in use; enlarge the pool`. */
const ENDED = /^(?:session|tunnel) ended: (?:.+?: )?((?:[A-Za-z0-9_-]+)(?: [A-Za-z0-9]+)?): (.+); ([^;]+)$/;

/** Why sessions of a server ended, the last ones. */
export function endsOfLog(log: readonly string[]): readonly Failure[] {
  return log
    .flatMap((line) => {
      const [, step, reason, remedy] = ENDED.exec(line) ?? [];
      return step === undefined || reason === undefined || remedy === undefined ? [] : [{ step, reason, remedy }];
    })
    .slice(-MAX_LINES);
}
