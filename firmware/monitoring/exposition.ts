/**
 * Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats): HELP and TYPE of each family,
 * then its samples, a line each.
 */

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export interface MetricSample {
  /** Of histograms: which of their series it is. */
  readonly suffix?: '_bucket' | '_sum' | '_count';
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface MetricFamily {
  /** Letters, digits and underscores; base units, `_total` at the end of counters. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: readonly MetricSample[];
}

/** Longest value of a label, UTF-16 units. */
const MAX_LABEL = 128;

/**
 * @param maximum series, over all families: the first ones are written.
 * @returns the page, and how many series are not in it.
 */
export function writeExposition(
  families: readonly MetricFamily[],
  maximum: number,
): { readonly text: string; readonly leftOut: number } {
  const lines: string[] = [];
  let left = maximum;
  let leftOut = 0;
  for (const { name, help, type, samples } of families) {
    const written = samples.slice(0, Math.max(0, left));
    leftOut += samples.length - written.length;
    left -= written.length;
    if (written.length === 0) continue;
    lines.push(`# HELP ${name} ${helpText(help)}`, `# TYPE ${name} ${type}`);
    for (const { suffix = '', labels = {}, value } of written) {
      lines.push(`${name}${suffix}${labelText(labels)} ${number(value)}`);
    }
  }
  return { text: `${lines.join('\n')}\n`, leftOut };
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${labelValue(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function labelValue(text: string): string {
  return escaped(text.slice(0, MAX_LABEL).toWellFormed()).replaceAll('"', '\\"');
}

function helpText(text: string): string {
  return escaped(text);
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** As Go's ParseFloat reads it. */
function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

export function gauge(name: string, help: string, samples: readonly MetricSample[]): MetricFamily {
  return { name, help, type: 'gauge', samples };
}

export function counter(name: string, help: string, samples: readonly MetricSample[]): MetricFamily {
  return { name, help, type: 'counter', samples };
}
