/** `culvert show traffic` in words. */
import type { TrafficTotal } from '../api/router-control.ts';
import { table } from './table.ts';
import { octetsText } from './units-text.ts';

export function totalsText(totals: readonly TrafficTotal[]): readonly string[] {
  if (totals.length === 0) return ['nothing was counted yet'];
  const rows = totals.map(({ name, minute, hour, day }) => [
    name,
    octetsText(minute),
    octetsText(hour),
    octetsText(day),
  ]);
  return table([['COUNTER', 'LAST MINUTE', 'LAST HOUR', 'LAST DAY'], ...rows]);
}
