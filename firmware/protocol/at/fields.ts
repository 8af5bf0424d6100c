/** Parameters of an information line: numbers and quoted text between commas (ITU-T V.250 section 5.4.2). */

/** `+COPS: 0,0,"LabTel",7` gives `['0', '0', 'LabTel', '7']`; what stands before the first colon is left out, missing ones are empty. */
export function fields(line: string): string[] {
  const colon = line.indexOf(':');
  const out: string[] = [];
  let value = '';
  let quoted = false;
  for (const character of line.slice(colon + 1)) {
    if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) {
      out.push(value.trim());
      value = '';
    } else value += character;
  }
  out.push(value.trim());
  return out;
}

/** A decimal integer, its sign before it. @returns `undefined` for everything else. */
export function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
}

/** With decimals. @returns `undefined` for everything else. */
export function decimal(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : undefined;
}
