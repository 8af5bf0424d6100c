/** Every failure that is known, and how one is recognised. */
import type { Failure } from '../../protocol/machine.ts';
import type { Finding, Sign } from '../diagnosis.ts';
import { LADDER, type LadderStep } from '../ladder.ts';
import { IPSEC_FAILURES } from './ipsec-failures.ts';
import type { KnownFailure } from './known-failure.ts';
import { L2TP_FAILURES } from './l2tp-failures.ts';
import { PPP_FAILURES } from './ppp-failures.ts';
import { TRAFFIC_FAILURES } from './traffic-failures.ts';
import { UPLINK_FAILURES } from './uplink-failures.ts';

/** Those that come first are recognised first: what the network says of a silent peer stands before the silence. */
export const CATALOGUE: readonly KnownFailure[] = [
  ...UPLINK_FAILURES,
  ...IPSEC_FAILURES,
  ...PPP_FAILURES,
  ...L2TP_FAILURES,
  ...TRAFFIC_FAILURES,
];

const BY_ID: ReadonlyMap<string, KnownFailure> = new Map(CATALOGUE.map((known) => [known.id, known]));

/** Steps of failures that are in no table, by the beginning of their names. */
const STEPS: readonly (readonly [RegExp, LadderStep])[] = [
  [/^(Main Mode [1-4]|IKE_SA_INIT|IPsec)/, 'ike'],
  [/^(Main Mode|IKE_AUTH)/, 'ike-authentication'],
  [/^(Quick Mode|child SA|CREATE_CHILD_SA|traffic selectors)/, 'child-sa'],
  [/^ESP/, 'esp'],
  [/^(SCC|StopCCN)/, 'l2tp-tunnel'],
  [/^(ICRQ|ICRP|ICCN|OCRQ|OCRP|OCCN|CDN)/, 'l2tp-session'],
  [/^LCP/, 'lcp'],
  [/^authentication/, 'ppp-authentication'],
  [/^IPCP/, 'ipcp'],
  [/^(IPV6CP|IPv6)/, 'ipv6cp'],
  [/^resolve/, 'dns'],
  [/^(routes|interface|network)/, 'routes'],
  [/^route/, 'route'],
];

/** A failure of the catalogue. @throws Error for an id that it does not have: a mistake of the program */
export function known(id: string): KnownFailure {
  const found = BY_ID.get(id);
  if (found === undefined) throw new Error(`the catalogue of failures has no ${id}`);
  return found;
}

/** The heading of a finding. */
export function titleOf(id: string): string {
  return BY_ID.get(id)?.title ?? 'a failure that is in no table';
}

/** Which of the known failures this is; `undefined`: none of them. */
export function recognise({ step, reason, remedy }: Failure): KnownFailure | undefined {
  const words = `${step}: ${reason}`;
  const mppe = known('mppe-demanded');
  // The only one whose remedy says more than its reason.
  if (mppe.words?.test(remedy)) return mppe;
  return CATALOGUE.find((one) => one.words?.test(words));
}

/** What is to be said of something that failed: its own words for what was seen and what to do, the catalogue's for why. */
export function findingOf(failure: Failure): Finding {
  const found = recognise(failure);
  const seen = `${failure.step}: ${failure.reason}`;
  if (found !== undefined) {
    return { id: found.id, step: found.step, seen, cause: found.cause, remedy: failure.remedy };
  }
  const step = STEPS.find(([pattern]) => pattern.test(failure.step))?.[1] ?? 'traffic';
  const cause = 'this failure is in no table; its own words are all that is known';
  return { id: 'unknown', step, seen, cause, remedy: failure.remedy };
}

/** What is to be said of something that was seen by looking. */
export function findingOfSign({ id, seen }: Sign): Finding {
  const { step, cause, remedy } = known(id);
  if (remedy === undefined) throw new Error(`the catalogue has no remedy for ${id}, which was seen by looking`);
  return { id, step, seen, cause, remedy };
}

/** In the order of the ladder; the same thing is said once. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  const said = new Set<string>();
  const once = findings.filter(({ id, seen }) => {
    // Ports, times and counts differ from attempt to attempt.
    const key = `${id} ${seen.replace(/\d+/g, '#')}`;
    if (said.has(key)) return false;
    said.add(key);
    return true;
  });
  return once.sort((a, b) => LADDER.indexOf(a.step) - LADDER.indexOf(b.step));
}
