/** The kinds of DSL modems: what they are asked, and who reads the answer. */
import { parseBroadcom } from './broadcom.ts';
import type { DslParser } from './dsl-status.ts';
import { parseLabelled } from './labelled.ts';
import { parseLantiq } from './lantiq.ts';

export const DSL_CHIPSETS = ['broadcom', 'lantiq', 'metanoia'] as const;
export type DslChipset = (typeof DSL_CHIPSETS)[number];

/** One way to ask: these commands one after the other; their answers together are the text that is read. */
export interface DslDialect {
  readonly chipset: DslChipset;
  readonly commands: readonly string[];
  readonly parse: DslParser;
}

const BROADCOM = ['xdslctl info --stats', 'xdslcmd info --stats', 'adsl info --stats'];

/** State; then rates (0 upstream, 1 downstream), signals and counters (0 near end, 1 far end). */
const PIPE = ['lsg', 'g997csg 0 0', 'g997csg 0 1', 'g997lsg 0 1', 'g997lsg 1 1', 'pmlsctg 0', 'pmlsctg 1'];
const PIPES = ['dsl_cpe_pipe.sh', 'dsl_cpe_pipe'];

/** In the order in which they are tried. None of these commands changes anything in the modem. */
export const DSL_DIALECTS: readonly DslDialect[] = [
  ...BROADCOM.map((command) => ({ chipset: 'broadcom' as const, commands: [command], parse: parseBroadcom })),
  { chipset: 'lantiq', commands: ['ubus call dsl metrics'], parse: parseLantiq },
  ...PIPES.map((program) => ({
    chipset: 'lantiq' as const,
    commands: PIPE.map((words) => `${program} ${words}`),
    parse: parseLantiq,
  })),
  { chipset: 'metanoia', commands: ['show status'], parse: parseLabelled },
  { chipset: 'metanoia', commands: ['status'], parse: parseLabelled },
];

/** @param chipset `auto`: all of them. */
export function dialectsOf(chipset: DslChipset | 'auto'): readonly DslDialect[] {
  return chipset === 'auto' ? DSL_DIALECTS : DSL_DIALECTS.filter((dialect) => dialect.chipset === chipset);
}

/** Reads a text of which only this is known; those with a format of their own are asked first. */
export function parseDslText(text: string, chipset: DslChipset | 'auto'): ReturnType<DslParser> {
  const parsers = new Set(dialectsOf(chipset).map(({ parse }) => parse));
  for (const parse of parsers) {
    const status = parse(text);
    if (status !== undefined) return status;
  }
  return undefined;
}
