/** One-time passwords by time: RFC 6238 over RFC 4226, HMAC-SHA-1, six digits, steps of 30 s. */
import { createHmac, timingSafeEqual } from 'node:crypto';

const STEP_MS = 30_000;
const DIGITS = 6;
/** Steps that a clock may be off, either way (RFC 6238 section 5.2). */
const DRIFT = 1;

/** @param step since 1970, 30 s each. */
export function totpCode(secret: Buffer, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  // RFC 4226 section 5.3.
  const offset = (mac[mac.length - 1] ?? 0) & 0x0f;
  const number = mac.readUInt32BE(offset) & 0x7fff_ffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0');
}

/**
 * @param wall clock, ms since 1970.
 * @param used the last step of which a code was taken: neither it nor an earlier one is taken again.
 * @returns the step of the code; `undefined` when it is wrong.
 */
export function judgeTotp(secret: Buffer, code: string, wall: number, used = -1): number | undefined {
  const given = Buffer.from(code);
  const now = Math.floor(wall / STEP_MS);
  let found: number | undefined;
  for (let step = Math.max(0, now - DRIFT); step <= now + DRIFT; step += 1) {
    const right = Buffer.from(totpCode(secret, step));
    const same = right.length === given.length && timingSafeEqual(right, given);
    if (same && step > used) found ??= step;
  }
  return found;
}

/** @param secret Base32. @param issuer the router. */
export function totpUri(secret: string, user: string, issuer: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(user)}`;
  return `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(issuer)}&algorithm=SHA1&digits=6&period=30`;
}
