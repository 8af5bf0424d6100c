/** DSL lines in front of interfaces, as metrics. */
import type { DslLineStatus, RouterStatus } from '../api/router-control.ts';
import { gauge, type MetricFamily, type MetricSample } from './exposition.ts';

type Direction = NonNullable<DslLineStatus['line']>['down'];

/** Of a line that nobody tells of: only that it is not known to be up. */
export function dslFamilies({ interfaces }: RouterStatus): MetricFamily[] {
  const lines = interfaces.flatMap(({ name, dsl }) => (dsl === undefined ? [] : [{ name, line: dsl.line }]));
  const samples = (value: (direction: Direction) => number | undefined): MetricSample[] =>
    lines.flatMap(({ name, line }) =>
      (['down', 'up'] as const).flatMap((direction) => {
        const number = line === undefined ? undefined : value(line[direction]);
        return number === undefined ? [] : [{ labels: { name, direction }, value: number }];
      }),
    );
  const up = lines.map(({ name, line }) => ({ labels: { name }, value: line?.state === 'showtime' ? 1 : 0 }));
  return [
    gauge('culvert_dsl_up', 'Whether the DSL line in front of this interface is known to be up.', up),
    gauge(
      'culvert_dsl_rate_bits_per_second',
      'Net rate of the DSL line.',
      samples(({ rateKbps }) => bits(rateKbps)),
    ),
    gauge(
      'culvert_dsl_attainable_rate_bits_per_second',
      'What the DSL line could carry.',
      samples(({ attainableKbps }) => bits(attainableKbps)),
    ),
    gauge(
      'culvert_dsl_margin_decibels',
      'Signal-to-noise ratio margin.',
      samples(({ marginDb }) => marginDb),
    ),
  ];
}

function bits(kbps: number | undefined): number | undefined {
  return kbps === undefined ? undefined : kbps * 1000;
}
