/** Messages of one phase 2 exchange: encrypted and hashed under the ISAKMP SA (RFC 2409 sections 5.5 and 5.7). */
import { ByteReader, DecodeError } from '../../bytes.ts';
import type { RandomSource } from '../../machine.ts';
import { hash1, phase2Iv } from '../crypto/keys-v1.ts';
import { encodeMessage, type ReceivedMessage } from './header.ts';
import { HeaderFlag, PayloadType } from './numbers.ts';
import type { Payload } from './payload.ts';
import type { Phase1Outcome } from './phase1.ts';
import { CbcChain, decodeHashed, encodeHashed } from './protected-message.ts';

/** What phase 1 has to give before anything else is encrypted. */
export type Phase2Protection = Pick<
  Phase1Outcome,
  'cookieI' | 'cookieR' | 'proposal' | 'keys' | 'encryptionKey' | 'lastBlock'
>;

export class Phase2Messages {
  readonly messageId: number;
  readonly #sa: Phase2Protection;
  readonly #exchangeType: number;
  readonly #chain: CbcChain;

  constructor(sa: Phase2Protection, exchangeType: number, messageId: number) {
    const { encryption, prf } = sa.proposal;
    this.messageId = messageId;
    this.#sa = sa;
    this.#exchangeType = exchangeType;
    const iv = phase2Iv(encryption, prf, sa.lastBlock, messageId);
    this.#chain = new CbcChain(encryption, sa.encryptionKey, iv);
  }

  /** The next message of the exchange. @param hash of everything behind the HASH payload. */
  seal(payloads: readonly Payload[], hash: (covered: Uint8Array) => Uint8Array): Uint8Array {
    const { cookieI, cookieR } = this.#sa;
    const header = {
      cookieI,
      cookieR,
      nextPayload: PayloadType.hash,
      exchangeType: this.#exchangeType,
      flags: HeaderFlag.encryption,
      messageId: this.messageId,
    };
    return encodeMessage(header, this.#chain.seal(encodeHashed(payloads, hash)));
  }

  /**
   * The payloads behind the HASH of the peer's next message; `undefined` when the HASH is wrong. Only a genuine message
   * moves the IV on.
   * @throws DecodeError when it is not encrypted, or not with our key.
   */
  open(
    { header, body }: ReceivedMessage,
    hash: (covered: Uint8Array, payloads: readonly Payload[]) => Uint8Array,
  ): readonly Payload[] | undefined {
    if ((header.flags & HeaderFlag.encryption) === 0) throw new DecodeError('not encrypted');
    const opened = this.#chain.open(body);
    const payloads = decodeHashed(header.nextPayload, opened.plaintext, hash);
    if (payloads !== undefined) opened.accept();
    return payloads;
  }
}

/** The first message of an exchange, verified, and the exchange. */
export interface OpenedFirst {
  readonly messages: Phase2Messages;
  readonly payloads: readonly Payload[];
}

/**
 * The first message of a Quick Mode or Informational that the peer begins, under HASH(1); `undefined` when that is wrong.
 * @throws DecodeError when it is not encrypted, or not with our key.
 */
export function openFirst(sa: Phase2Protection, message: ReceivedMessage): OpenedFirst | undefined {
  const { messageId, exchangeType } = message.header;
  const messages = new Phase2Messages(sa, exchangeType, messageId);
  const { prf } = sa.proposal;
  const payloads = messages.open(message, (covered) => hash1(prf, sa.keys.skeyidA, messageId, covered));
  return payloads === undefined ? undefined : { messages, payloads };
}

/** Message ids that are remembered as used, within one ISAKMP SA. Five minutes of DPD apart, that is four weeks. */
const MAX_USED = 8192;

/** The message ids of one ISAKMP SA, so that an old message cannot be played back. */
export class MessageIds {
  readonly #random: RandomSource;
  readonly #used = new Set<number>();

  constructor(random: RandomSource) {
    this.#random = random;
  }

  isUsed(messageId: number): boolean {
    return this.#used.has(messageId);
  }

  use(messageId: number): void {
    this.#used.add(messageId);
    const [oldest] = this.#used;
    if (this.#used.size > MAX_USED && oldest !== undefined) this.#used.delete(oldest);
  }

  /** One that is not zero and was not used, for an exchange of this side. */
  fresh(): number {
    for (;;) {
      const messageId = new ByteReader(this.#random.bytes(4)).u32('random');
      if (messageId === 0 || this.#used.has(messageId)) continue;
      this.use(messageId);
      return messageId;
    }
  }
}
