/** What an L2TP server is told of the DSL line of a branch (RFC 5515). */
import type { DslStatus } from '../../protocol/dsl/dsl-status.ts';
import type { AccessLine } from '../../protocol/l2tp/endpoint-types.ts';

/** Numbers of section 5.18 by what a modem calls its mode; the first that fits. */
const TYPES: readonly (readonly [RegExp, number])[] = [
  [/VDSL2|G\.?993\.2/i, 5],
  [/VDSL|G\.?993/i, 4],
  [/ADSL2\s?(\+|plus)|G\.?992\.5/i, 3],
  [/ADSL2|G\.?992\.[34]/i, 2],
  [/ADSL|G\.?dmt|G\.?lite|G\.?992\.[12]/i, 1],
  [/SDSL|G\.?991/i, 6],
];
const UNKNOWN = 7;

/** @returns undefined while the line is not up: rates of a line that is down say nothing. */
export function accessLineOf(status: DslStatus | undefined): AccessLine | undefined {
  if (status?.state !== 'showtime') return undefined;
  const rates = ({ rateKbps, attainableKbps }: DslStatus['down']): AccessLine['down'] => ({
    ...(rateKbps !== undefined && { actual: rateKbps * 1000 }),
    ...(attainableKbps !== undefined && { attainable: attainableKbps * 1000 }),
  });
  const type = TYPES.find(([pattern]) => pattern.test(status.mode ?? ''))?.[1] ?? UNKNOWN;
  return { down: rates(status.down), up: rates(status.up), type };
}
