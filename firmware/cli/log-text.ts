/** A log line for people. */

/** `2025-01-31T12:00:00.000Z info  hq  the tunnel is up (tunnelId 7)`; a line that is no JSON object stays as it is. */
export function logText(line: string): string {
  const entry = parsed(line);
  if (entry === undefined) return line;
  const { time, level, connection, msg, ...rest } = entry;
  const fields = Object.entries(rest).map(([key, value]) => `${key} ${valueText(value)}`);
  const words = [
    valueText(time ?? ''),
    level === undefined ? '' : valueText(level).padEnd(5),
    ...(connection === undefined ? [] : [`${valueText(connection)}:`]),
    valueText(msg ?? ''),
    ...(fields.length === 0 ? [] : [`(${fields.join(', ')})`]),
  ];
  return words.filter((word) => word !== '').join(' ');
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** On one line, whatever it is: a stack trace stays one, with its line feeds visible. */
function valueText(value: unknown): string {
  return typeof value === 'string' ? value.replaceAll('\n', '\\n') : JSON.stringify(value);
}
