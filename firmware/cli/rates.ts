/** What passes in a second, both ways, of what is counted. */
import type { TrafficTotal } from '../api/router-control.ts';
import { table } from './table.ts';

export interface Rate {
  /** `interface.wan`, `l2tp.hq`, `ipsec.plant`. */
  readonly name: string;
  /** Octets in the last second. */
  readonly received: number;
  readonly sent: number;
}

const WAY = /\.(received|sent)$/;

export function ratesOf(totals: readonly TrafficTotal[]): readonly Rate[] {
  const rates = new Map<string, Rate>();
  for (const { name, second } of totals) {
    const way = WAY.exec(name)?.[1];
    if (way !== 'received' && way !== 'sent') continue;
    const whose = name.replace(WAY, '');
    rates.set(whose, { ...(rates.get(whose) ?? { name: whose, received: 0, sent: 0 }), [way]: second });
  }
  return [...rates.values()];
}

/** Those that `name` means: one by its whole name, or all that are called so whatever they are. */
export function ratesNamed(rates: readonly Rate[], name: string): readonly Rate[] {
  const whole = rates.filter((rate) => rate.name === name);
  return whole.length > 0 ? whole : rates.filter((rate) => rate.name.slice(rate.name.indexOf('.') + 1) === name);
}

/** @param time in front of the first line. */
export function ratesText(time: string, rates: readonly Rate[]): readonly string[] {
  const rows = rates.map(({ name, received, sent }) => [name, `received ${bits(received)}`, `sent ${bits(sent)}`]);
  const [only] = rows;
  return rows.length === 1 && only !== undefined
    ? [`${time}  ${only.join('  ')}`]
    : [time, ...table(rows).map((row) => `  ${row}`)];
}

/** Of octets in a second: `1.5 Mbit/s`. */
function bits(octets: number): string {
  let value = octets * 8;
  for (const unit of ['bit/s', 'kbit/s', 'Mbit/s']) {
    if (value < 1000) return `${unit === 'bit/s' ? value : value.toFixed(1)} ${unit}`;
    value /= 1000;
  }
  return `${value.toFixed(1)} Gbit/s`;
}
