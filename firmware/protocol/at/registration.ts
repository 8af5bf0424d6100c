/** Whether the modem has a network: +CREG, +CGREG, +CEREG (3GPP TS 27.007 sections 7.2, 10.1.20, 10.1.22). */
import { fields, integer } from './fields.ts';

export type RegistrationState = 'none' | 'home' | 'searching' | 'denied' | 'unknown' | 'roaming';

export interface Registration {
  readonly state: RegistrationState;
  /** Area and cell in hexadecimal, as they were said. */
  readonly area?: string;
  readonly cell?: string;
  /** Of the radio: `LTE`, `UMTS` ... */
  readonly technology?: string;
}

/** The domains that are asked, the one that matters to LTE first. */
export const REGISTRATION_DOMAINS = ['CEREG', 'CGREG', 'CREG'] as const;
export type RegistrationDomain = (typeof REGISTRATION_DOMAINS)[number];

/** 6 and 7: for short messages alone; 8: emergency calls alone; 9 and 10: without circuit-switched fallback. */
const STATES: readonly RegistrationState[] = [
  'none',
  'home',
  'searching',
  'denied',
  'unknown',
  'roaming',
  'none',
  'none',
  'none',
  'home',
  'roaming',
];

/** AcT of 3GPP TS 27.007 section 7.3. */
const TECHNOLOGIES = [
  'GSM',
  'GSM',
  'UMTS',
  'EDGE',
  'HSDPA',
  'HSUPA',
  'HSPA',
  'LTE',
  'EC-GSM-IoT',
  'LTE NB-IoT',
  'LTE',
  '5G',
  '5G',
  'LTE and 5G',
];

export function technologyOf(access: number | undefined): string | undefined {
  return access === undefined ? undefined : TECHNOLOGIES[access];
}

/** Reads an answer or what came unasked. @returns `undefined` for what is neither. */
export function parseRegistration(
  line: string,
): { readonly domain: RegistrationDomain; readonly registration: Registration } | undefined {
  const domain = REGISTRATION_DOMAINS.find((name) => line.startsWith(`+${name}:`));
  if (domain === undefined) return undefined;
  // The mode stands before the state in answers alone, and is the only place where two bare numbers follow each other.
  const answers = /^\+\w+: ?\d+ ?, ?\d+(,|$)/.test(line);
  const [state, area, cell, access] = fields(line).slice(answers ? 1 : 0);
  const index = integer(state);
  if (index === undefined) return undefined;
  const technology = technologyOf(integer(access));
  return {
    domain,
    registration: {
      state: STATES[index] ?? 'unknown',
      ...(area !== undefined && /^[0-9A-Fa-f]{1,8}$/.test(area) && { area }),
      ...(cell !== undefined && /^[0-9A-Fa-f]{1,9}$/.test(cell) && { cell }),
      ...(technology !== undefined && { technology }),
    },
  };
}

/** What the domains say together: one that has a network counts, then one that was denied. */
export function together(domains: ReadonlyMap<RegistrationDomain, Registration>): Registration {
  const order: readonly RegistrationState[] = ['home', 'roaming', 'denied', 'searching', 'none', 'unknown'];
  const present = REGISTRATION_DOMAINS.flatMap((domain) => domains.get(domain) ?? []);
  // +CREG alone is of calls: it says nothing of data where another domain was asked and has none.
  const data = REGISTRATION_DOMAINS.slice(0, 2).flatMap((domain) => domains.get(domain) ?? []);
  const among = data.length > 0 && data.some(({ state }) => state !== 'unknown') ? data : present;
  return among.toSorted((a, b) => order.indexOf(a.state) - order.indexOf(b.state))[0] ?? { state: 'unknown' };
}
