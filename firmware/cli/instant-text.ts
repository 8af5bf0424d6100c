/** `2025-01-31 12:00:00 UTC`; a dash where it is no instant. @param at wall clock, ms since 1970. */
export function instantText(at: number): string {
  const instant = new Date(at);
  return Number.isNaN(instant.getTime()) ? '-' : `${instant.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
