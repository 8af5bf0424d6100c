/** A strict reader of Prometheus' text format 0.0.4, written from its description and not from the writer. */

export interface ParsedFamily {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/s;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y;
const VALUE = /^([+-]Inf|NaN|-?\d+(\.\d+)?(e[+-]?\d+)?)$/;

/** By name of the family. @throws Error where a line is wrong, a family stands twice, or a series does. */
export function parseExposition(text: string): ReadonlyMap<string, ParsedFamily> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end');
  const families = new Map<string, { type: string; help: string; samples: ParsedSample[] }>();
  const series = new Set<string>();
  let present = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const [, keyword, name = '', rest = ''] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (keyword === 'HELP') {
      if (families.has(name)) throw new Error(`${name} stands twice`);
      families.set(name, { type: '', help: rest, samples: [] });
      present = name;
      continue;
    }
    const family = families.get(present);
    if (family === undefined) throw new Error(`a line of no family: ${line}`);
    if (keyword === 'TYPE') {
      if (name !== present || family.type !== '' || !/^(counter|gauge|histogram)$/.test(rest)) throw new Error(line);
      family.type = rest;
      continue;
    }
    const sample = parseSample(line);
    const suffixes = family.type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    if (!suffixes.some((suffix) => sample.name === present + suffix)) throw new Error(`not of ${present}: ${line}`);
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()]);
    if (series.has(key)) throw new Error(`a series stands twice: ${line}`);
    series.add(key);
    family.samples.push(sample);
  }
  return families;
}

function parseSample(line: string): ParsedSample {
  const [, name = '', labelText = '', value = ''] = SAMPLE.exec(line) ?? [];
  if (name === '' || !VALUE.test(value)) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  for (let at = 0; at < labelText.length; at = LABEL.lastIndex) {
    const found = LABEL.exec(labelText);
    if (found === null) throw new Error(`wrong labels: ${line}`);
    const [, key = '', escaped = ''] = found;
    labels[key] = escaped.replace(/\\(.)/gs, (_, character) => (character === 'n' ? '\n' : character));
  }
  const number = value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : Number(value);
  return { name, labels, value: number };
}
