/** The last filter in front of the log: whatever a caller handed in, no configured secret leaves in a line. */
import { printable } from '../protocol/printable.ts';

/** What stands where a secret stood. */
export const SECRET_MARK = '[secret]';

/** Shorter secrets are not searched for: they occur in every line by chance, and their keys are redacted by name. */
export const MIN_SEARCHED_SECRET = 4;

/** Written by the logger itself, never by a caller: digits of a time are not a leaked `2025`. */
const OWN_KEYS = new Set(['level', 'time']);

/**
 * The line with every occurrence of a secret, raw, JSON-escaped or made printable, replaced by {@link SECRET_MARK}.
 * A line that is a JSON object stays one.
 */
export function redactLine(line: string, secrets: readonly string[]): string {
  const { needles, escaped } = spellingsOf(secrets);
  if (!needles.some((needle) => line.includes(needle)) && !escaped.some((needle) => line.includes(needle))) return line;
  const end = line.endsWith('\n') ? '\n' : '';
  try {
    return JSON.stringify(redactEntry(JSON.parse(line), needles)) + end;
  } catch {
    return redactText(redactText(line, escaped), needles);
  }
}

/** Of the list that was asked for last: there are thousands of lines between two changes of it. */
let known: {
  readonly secrets: readonly string[];
  readonly needles: readonly string[];
  readonly escaped: readonly string[];
} = { secrets: [], needles: [], escaped: [] };

/** A list is never changed, only replaced by another one. */
function spellingsOf(secrets: readonly string[]): typeof known {
  if (known.secrets !== secrets) {
    const needles = spellings(secrets);
    const all = new Set(needles);
    known = { secrets, needles, escaped: needles.map(jsonEscaped).filter((text) => !all.has(text)) };
  }
  return known;
}

/** Every way a secret is spelt in a log field; the longest first, so that no tail of a longer secret is left over. */
function spellings(secrets: readonly string[]): readonly string[] {
  const all = new Set<string>();
  for (const secret of secrets) {
    if (secret.length < MIN_SEARCHED_SECRET) continue;
    all.add(secret);
    all.add(printable(secret));
    all.add(encodeURIComponent(secret.toWellFormed()));
    all.add(jsonEscaped(secret));
  }
  return [...all].sort((a, b) => b.length - a.length);
}

function jsonEscaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function redactEntry(entry: unknown, needles: readonly string[]): unknown {
  if (typeof entry !== 'object' || entry === null) return redactValue(entry, needles);
  return Object.fromEntries(
    Object.entries(entry).map(([key, value]) =>
      OWN_KEYS.has(key) ? [key, value] : [redactText(key, needles), redactValue(value, needles)],
    ),
  );
}

function redactValue(value: unknown, needles: readonly string[]): unknown {
  if (typeof value === 'string') return redactText(value, needles);
  if (typeof value === 'number') return needles.includes(String(value)) ? SECRET_MARK : value;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, needles));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [redactText(key, needles), redactValue(item, needles)]),
  );
}

/** Cut into pieces by each needle in turn, so that the mark itself is never searched. */
function redactText(text: string, needles: readonly string[]): string {
  let pieces = [text];
  for (const needle of needles) pieces = pieces.flatMap((piece) => withMarks(piece, needle));
  return pieces.join('');
}

function withMarks(piece: string, needle: string): readonly string[] {
  if (piece === SECRET_MARK || !piece.includes(needle)) return [piece];
  return piece.split(needle).flatMap((part, index) => (index === 0 ? [part] : [SECRET_MARK, part]));
}
