/** The secret of a second factor as text: Base32 (RFC 4648 section 6), as authenticator apps take it. */

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Octets: RFC 4226 section 4 (R6) asks for 16, HMAC-SHA-1 makes no use of more than its block. */
const MIN_OCTETS = 16;
const MAX_OCTETS = 64;

/** Small letters, spaces, hyphens and padding are forgiven. @returns `undefined` for what is no such secret. */
export function readTotpSecret(text: string): Buffer | undefined {
  const letters = text.toUpperCase().replaceAll(/[ -]/g, '').replace(/=+$/, '');
  const octets: number[] = [];
  let [bits, held] = [0, 0];
  for (const letter of letters) {
    const value = ALPHABET.indexOf(letter);
    if (value < 0) return undefined;
    held = ((held & 0xff) << 5) | value;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      octets.push((held >> bits) & 0xff);
    }
  }
  return octets.length >= MIN_OCTETS && octets.length <= MAX_OCTETS ? Buffer.from(octets) : undefined;
}

/** Without padding. */
export function writeTotpSecret(octets: Uint8Array): string {
  let text = '';
  let [bits, held] = [0, 0];
  for (const octet of octets) {
    held = ((held & 0x1f) << 8) | octet;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += ALPHABET[(held >> bits) & 0x1f];
    }
  }
  return bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 0x1f];
}
