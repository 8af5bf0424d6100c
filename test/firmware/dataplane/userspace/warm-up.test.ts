import { describe, expect, it } from 'vitest';
import { warmUp } from '../../../../firmware/dataplane/userspace/warm-up.ts';
import { LinuxPacketCipherFactory } from '../../../../hal/linux/packet-cipher.ts';
import type {
  PacketAuthenticator,
  PacketAuthenticatorSpec,
  PacketCipher,
  PacketCipherFactory,
  PacketCipherSpec,
} from '../../../../hal/packet-cipher.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

/** The real ciphers, counted while they are open; but for what this machine lacks. */
class CountedCiphers implements PacketCipherFactory {
  readonly #real = new LinuxPacketCipherFactory();
  readonly #lacks: string | undefined;
  readonly engine = this.#real.engine;
  readonly used = new Set<string>();
  opened = 0;

  constructor(lacks?: string) {
    this.#lacks = lacks;
  }

  openAuthenticator(spec: PacketAuthenticatorSpec): PacketAuthenticator {
    return this.#real.openAuthenticator(spec);
  }

  open(spec: PacketCipherSpec): PacketCipher {
    if (spec.encryption === this.#lacks) throw new Error('no such cipher');
    const cipher = this.#real.open(spec);
    this.used.add(spec.encryption);
    this.opened += 1;
    const close = cipher.close.bind(cipher);
    cipher.close = () => {
      this.opened -= 1;
      close();
    };
    return cipher;
  }
}

describe('the warm-up', () => {
  it('carries packets through the ciphers that peers agree on, and leaves none open', () => {
    const ciphers = new CountedCiphers();
    expect(warmUp(ciphers, new SeededRandom(1))).toBe(7 * 4);
    expect([...ciphers.used]).toEqual(['aes128gcm16', 'aes256gcm16', 'chacha20poly1305', 'aes128', 'aes256', '3des']);
    expect(ciphers.opened).toBe(0);
  });

  it('does without what the machine lacks', () => {
    expect(warmUp(new CountedCiphers('3des'), new SeededRandom(1))).toBe(6 * 4);
  });
});
