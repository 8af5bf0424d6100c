/** Facilities and severities of syslog (RFC 5424 section 6.2.1, tables 1 and 2). */

/** By name, as syslog daemons write them; those that stand for something else on a router are left out. */
export const FACILITIES = {
  user: 1,
  daemon: 3,
  auth: 4,
  syslog: 5,
  authpriv: 10,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;

export type Facility = keyof typeof FACILITIES;

export const SEVERITIES = { critical: 2, error: 3, warning: 4, informational: 6, debug: 7 } as const;

export type Severity = keyof typeof SEVERITIES;

/** PRI without its angle brackets. */
export function priority(facility: Facility, severity: Severity): number {
  return FACILITIES[facility] * 8 + SEVERITIES[severity];
}
