/** Numbers with their units, and other small words, for people. */

/** `42 s`, `3 min 20 s`, `5 h 3 min`, `45 d 2 h`: the two largest units. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [
    { value: Math.floor(whole / 86_400), unit: 'd' },
    { value: Math.floor(whole / 3600) % 24, unit: 'h' },
    { value: Math.floor(whole / 60) % 60, unit: 'min' },
    { value: whole % 60, unit: 's' },
  ];
  const first = parts.findIndex(({ value }) => value > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(({ value }) => value > 0)
    .map(({ value, unit }) => `${value} ${unit}`)
    .join(' ');
}

/** `1.5 KB`: decimal units, three digits at most before the unit changes. */
export function octetsText(octets: number): string {
  let value = octets;
  for (const unit of ['B', 'KB', 'MB', 'GB'])
    if (value < 1000) return `${unit === 'B' ? value : value.toFixed(1)} ${unit}`;
    else value /= 1000;
  return `${value.toFixed(1)} TB`;
}

/** `12 (15.3 KB)`: packets and their octets; a dash where they are not known. */
export function trafficText(packets: number | undefined, octets: number | undefined): string {
  if (packets === undefined) return '-';
  return octets === undefined ? `${packets}` : `${packets} (${octetsText(octets)})`;
}

/** `wrongSource 2, tooBig 1`; a dash where nothing was counted. */
export function countsText(counts: Readonly<Record<string, number>> | undefined): string {
  const reasons = Object.entries(counts ?? {}).filter(([, packets]) => packets > 0);
  return reasons.length === 0 ? '-' : reasons.map(([reason, packets]) => `${reason} ${packets}`).join(', ');
}

/** A line for every entry that has failed: why, and what to do. */
export function failureLines(
  entries: readonly { readonly name: string; readonly reason?: string; readonly remedy?: string }[],
): readonly string[] {
  return entries
    .filter(({ reason }) => reason !== undefined)
    .map(({ name, reason, remedy }) => `${name}: ${reason}${remedy === undefined ? '' : `; ${remedy}`}`);
}
