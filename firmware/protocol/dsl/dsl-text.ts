/** What modems print, made safe to look at: a serial line brings noise, and a login that somebody else uses brings anything. */
import { printable } from '../printable.ts';
import type { DslDirection, DslErrors } from './dsl-status.ts';

/** Longest answer that is looked at, characters; `xdslctl info --stats` has 5,000. */
export const MAX_ANSWER = 64 * 1024;
const MAX_LINE = 256;

/** Colours and cursor movements (ECMA-48 CSI), and all that moves the cursor alone. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: what is looked for are control characters
const CONTROL = /\x1b\[[0-9;?]{0,16}[ -/]?[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

/** The lines of an answer without what is not text; those that are too long are none. */
export function linesOf(text: string): readonly string[] {
  const lines = text.slice(0, MAX_ANSWER).split(/\r\n|\r|\n/);
  return lines.map((line) => line.replace(CONTROL, '')).filter((line) => line.length <= MAX_LINE);
}

/** A value between these bounds, or none: noise makes numbers, too. */
export function within(value: number | undefined, least: number, most: number): number | undefined {
  return value !== undefined && Number.isFinite(value) && value >= least && value <= most ? value : undefined;
}

/** 10 Gbit/s: G.fast and what comes behind it. */
export const kbps = (value: number | undefined): number | undefined => within(value, 0, 10_000_000);
/** Bits per second, rounded down. */
export const bps = (value: number | undefined): number | undefined =>
  kbps(value === undefined ? undefined : Math.floor(value / 1000));
/** A margin, an attenuation or a power. */
export const decibels = (value: number | undefined): number | undefined => within(value, -128, 128);
/** A counter of 32 bits. */
export const counter = (value: number | undefined): number | undefined =>
  Number.isInteger(value) ? within(value, 0, 0xffff_ffff) : undefined;
/** Seconds, up to ten years. */
export const seconds = (value: number | undefined): number | undefined => within(value, 0, 315_360_000);

/** A word or two of the modem, safe to print; undefined when there is nothing. */
export function words(text: string | undefined): string | undefined {
  const said = printable((text ?? '').trim().slice(0, 64));
  return said === '' ? undefined : said;
}

/** Leaves out what is not known, so that two that know the same are equal. */
export function known<Part extends object>(part: { readonly [Key in keyof Part]: Part[Key] | undefined }): Part {
  return Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)) as Part;
}

/** `undefined` where no counter is known. */
export function errorsOf(
  errors: { readonly [Key in keyof DslErrors]: DslErrors[Key] | undefined },
): DslErrors | undefined {
  const some = known<DslErrors>(errors);
  return Object.keys(some).length === 0 ? undefined : some;
}

export type MutableDirection = { -readonly [Key in keyof DslDirection]: DslDirection[Key] | undefined };
