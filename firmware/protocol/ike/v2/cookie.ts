/**
 * The responder's COOKIE (RFC 7296 section 2.6): under load nothing is kept and nothing computed for an address that
 * has
 * not shown that it receives what is sent to it. No state but the secret.
 */
import { createHmac } from 'node:crypto';
import { ByteWriter, concatBytes, utf8Bytes } from '../../bytes.ts';
import type { Instant, RandomSource } from '../../machine.ts';
import { formatEndpoint, type UdpEndpoint } from '../../udp-path.ts';
import { octetsOf } from '../crypto/hash.ts';
import { equalSecrets } from '../crypto/secrets.ts';

/** Age of a secret at which the next one takes over, ms; a cookie is good under this one and the one before. */
const SECRET_LIFE_MS = 60_000;

const SECRET_OCTETS = 32;

interface Secret {
  readonly version: number;
  readonly key: Uint8Array;
  readonly since: Instant;
}

export class CookieMaker {
  readonly #random: RandomSource;
  #current: Secret | undefined;
  #previous: Secret | undefined;

  constructor(random: RandomSource) {
    this.#random = random;
  }

  /** `<VersionIDofSecret> | HMAC(secret, Ni | IPi, port | SPIi)`, 36 octets. */
  make(now: Instant, remote: UdpEndpoint, spiI: Uint8Array, nonce: Uint8Array): Uint8Array {
    return cookie(this.#secret(now), remote, spiI, nonce);
  }

  /** Whether `received` was made for this sender, nonce and SPI not long ago. */
  verify(now: Instant, received: Uint8Array, remote: UdpEndpoint, spiI: Uint8Array, nonce: Uint8Array): boolean {
    const current = this.#secret(now);
    if (equalSecrets(received, cookie(current, remote, spiI, nonce))) return true;
    const previous = this.#previous;
    if (previous === undefined || now - previous.since > 2 * SECRET_LIFE_MS) return false;
    return equalSecrets(received, cookie(previous, remote, spiI, nonce));
  }

  #secret(now: Instant): Secret {
    const current = this.#current;
    if (current !== undefined && now - current.since < SECRET_LIFE_MS) return current;
    const next = { version: (current?.version ?? 0) + 1, key: this.#random.bytes(SECRET_OCTETS), since: now };
    this.#previous = current;
    this.#current = next;
    return next;
  }
}

function cookie({ version, key }: Secret, remote: UdpEndpoint, spiI: Uint8Array, nonce: Uint8Array): Uint8Array {
  const mac = createHmac('sha256', key)
    .update(nonce)
    .update(spiI)
    .update(utf8Bytes(formatEndpoint(remote)));
  return concatBytes(new ByteWriter(4).u32(version >>> 0).finish(), octetsOf(mac.digest()));
}
