/**
 * The one place where text from a stranger (host names, vendor names, error messages, user names) becomes safe to print.
 */

/** Longest escaped text that goes into a log line or a status, in characters. */
const MAX_PRINTABLE = 256;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Text of a peer, with nothing in it that could move a cursor, start a line or hide a character: control characters
 * (C0, DEL, C1), line and paragraph separators, bidirectional overrides and zero-width characters become `\xNN` or
 * `\u{N}`, a backslash is doubled. Octets that are not UTF-8 are taken as Latin-1. Cut after 256 characters.
 */
export function printable(text: string | Uint8Array): string {
  const raw = typeof text === 'string' ? text : decode(text);
  let out = '';
  for (const char of raw) {
    const code = char.codePointAt(0) ?? 0;
    if (char === '\\') out += '\\\\';
    else if (isHostile(code))
      out += code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
    else out += char;
    if (out.length > MAX_PRINTABLE) return `${out.slice(0, MAX_PRINTABLE)}...`;
  }
  return out;
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}

function isHostile(code: number): boolean {
  return (
    code < 0x20 ||
    (code >= 0x7f && code < 0xa0) ||
    code === 0xad ||
    (code >= 0x200b && code <= 0x200f) ||
    (code >= 0x2028 && code <= 0x202e) ||
    (code >= 0x2060 && code <= 0x206f) ||
    (code >= 0xd800 && code <= 0xdfff) ||
    code === 0xfeff ||
    (code >= 0xe0000 && code <= 0xe007f)
  );
}
