/** An Aggressive Mode with XAUTH behind it, its messages made by hand (RFC 2409 section 5). */
import { phase1Iv, phase2Iv } from '../../../../../firmware/protocol/ike/crypto/keys-v1.ts';
import { encodeMessage } from '../../../../../firmware/protocol/ike/v1/header.ts';
import { encodeId } from '../../../../../firmware/protocol/ike/v1/id-payload.ts';
import { encodePayloads, firstType, type Payload } from '../../../../../firmware/protocol/ike/v1/payload.ts';
import { CbcChain } from '../../../../../firmware/protocol/ike/v1/protected-message.ts';
import { encodeSa, makeTransform } from '../../../../../firmware/protocol/ike/v1/sa-payload.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import type { Recorded } from './recorded.ts';

const AGGRESSIVE = 4;
const TRANSACTION = 6;

export interface Aggressive {
  readonly messages: readonly Recorded[];
  /** As a line of `ikev1_decryption_table`. */
  readonly key: string;
}

/** Three messages of phase 1, the last one encrypted, and four of XAUTH and Mode-Config. */
export function aggressiveMode(): Aggressive {
  const random = new SeededRandom(11);
  const [cookieI, cookieR, key] = [random.bytes(8), random.bytes(8), random.bytes(16)];
  const [publicI, publicR] = [random.bytes(64), random.bytes(64)];
  const client = { address: '192.0.2.7', port: 500 };
  const server = { address: '192.0.2.8', port: 500 };
  const messages: Recorded[] = [];
  const say = (fromClient: boolean, message: Omit<Parameters<typeof encodeMessage>[0], 'cookieI'>, body: Uint8Array) =>
    messages.push({
      octets: encodeMessage({ cookieI, ...message }, body),
      source: fromClient ? client : server,
      destination: fromClient ? server : client,
    });
  const clear = (fromClient: boolean, cookie: Uint8Array, payloads: readonly Payload[]) => {
    const header = { cookieR: cookie, nextPayload: firstType(payloads), flags: 0, messageId: 0 };
    say(fromClient, { ...header, exchangeType: AGGRESSIVE }, encodePayloads(payloads));
  };
  const attributes = [
    { type: 1, value: 7 },
    { type: 2, value: 2 },
    { type: 3, value: 65001 },
    { type: 4, value: 19 },
    { type: 14, value: 128 },
  ];
  const sa: Payload = {
    type: 1,
    body: encodeSa([{ number: 1, protocol: 1, spi: new Uint8Array(0), transforms: [makeTransform(1, 1, attributes)] }]),
  };
  const identity = (name: string): Payload => ({
    type: 5,
    body: encodeId({ type: 2, protocol: 17, port: 500, data: Buffer.from(name) }),
  });
  const keyExchange = (value: Uint8Array): readonly Payload[] => [
    { type: 4, body: value },
    { type: 10, body: random.bytes(16) },
  ];
  const hash = (): Payload => ({ type: 8, body: random.bytes(20) });
  clear(true, new Uint8Array(8), [sa, ...keyExchange(publicI), identity('road.warrior')]);
  clear(false, cookieR, [sa, ...keyExchange(publicR), identity('gateway'), hash()]);

  const phase1 = new CbcChain('aes128', key, phase1Iv('aes128', 'sha1', publicI, publicR));
  const sealed = (fromClient: boolean, chain: CbcChain, exchangeType: number, messageId: number, all: Payload[]) => {
    const header = { cookieR, nextPayload: firstType(all), exchangeType, flags: 1, messageId };
    say(fromClient, header, chain.seal(encodePayloads(all)));
  };
  sealed(true, phase1, AGGRESSIVE, 0, [hash()]);
  const configuration = (text: string): Payload => ({ type: 14, body: Uint8Array.from(Buffer.from(text, 'hex')) });
  const transaction = (messageId: number, fromServer: string, fromClient: string) => {
    const chain = new CbcChain('aes128', key, phase2Iv('aes128', 'sha1', phase1.lastBlock, messageId));
    sealed(false, chain, TRANSACTION, messageId, [hash(), configuration(fromServer)]);
    sealed(true, chain, TRANSACTION, messageId, [hash(), configuration(fromClient)]);
  };
  const text = (words: string): string => Buffer.from(words).toString('hex');
  transaction(
    0x1234abcd,
    '01000007c08800004089' + '0000408a0000',
    `02000007c0880000408900${'05'}${text('alice')}408a0003${text('pw!')}`,
  );
  transaction(0xfedc0001, '03000008c08f0001', '04000008c08f0000');
  const hexOf = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
  return { messages, key: `${hexOf(cookieI)},${hexOf(key)}` };
}
