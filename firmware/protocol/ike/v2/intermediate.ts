/**
 * IKE_INTERMEDIATE (RFC 9242), for the additional key exchange of RFC 9370: ML-KEM goes under the keys of IKE_SA_INIT, and
 * what follows is under keys of both. AUTH covers what was said in it.
 */
import { ByteWriter, concatBytes, DecodeError } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import { rekeyedIkeSaKeys, wipeIkeSaKeys } from '../crypto/keys-v2.ts';
import { createDecapsulator, type Decapsulator, encapsulateTo } from '../crypto/ml-kem.ts';
import { prf } from '../crypto/prf.ts';
import { wipe } from '../crypto/secrets.ts';
import { HEADER_OCTETS } from '../message-header.ts';
import { type TransformOf, transform } from '../transforms.ts';
import { AuthInitiator } from './auth-initiator.ts';
import { DONE, type Exchange, type Finished, type OpenedContent, type ReceivedResponse } from './exchange.ts';
import { malformed, peerRefused } from './failures.ts';
import { encodeHeader } from './header.ts';
import type { IkeSa } from './ike-sa.ts';
import { type InitResult, seedOf } from './init-exchange.ts';
import { findError } from './notify.ts';
import { EXCHANGES } from './numbers.ts';
import { ENCRYPTED, encodeChain, find, type Payload } from './payload.ts';

/** Message ID of the one exchange of this kind, and of the first IKE_AUTH then. */
const MESSAGE_ID = 1;
const AUTH_MESSAGE_ID = 2;

/** Generic header of the Encrypted payload. */
const PAYLOAD_HEADER = 4;

/** The additional key exchange that was agreed on and has not been done. */
export function pendingExchange(sa: IkeSa): TransformOf<'additional'> | undefined {
  const name = sa.intAuth === undefined ? sa.proposal?.additional : undefined;
  return name === undefined ? undefined : transform('additional', name);
}

export class IntermediateInitiator implements Exchange {
  readonly name = 'IKE_INTERMEDIATE';
  readonly duty = 'auth';
  readonly #init: InitResult;
  #exchange: Decapsulator | undefined;
  #request: readonly Payload[] = [];

  constructor(init: InitResult) {
    this.#init = init;
  }

  begin(_now: Instant, sa: IkeSa): readonly Payload[] | undefined {
    const method = pendingExchange(sa);
    if (method === undefined) return undefined;
    this.#exchange = createDecapsulator(sa.host.random);
    this.#request = [{ kind: 'KE', group: method.v2, data: this.#exchange.publicValue }];
    return this.#request;
  }

  finish(now: Instant, sa: IkeSa, { payloads, opened }: ReceivedResponse): Finished {
    const error = findError(payloads);
    const ke = find(payloads, 'KE');
    const secret = ke?.group === pendingExchange(sa)?.v2 ? this.#secret(ke?.data) : undefined;
    if (secret === undefined || opened === undefined) {
      const broken = malformed('IKE_INTERMEDIATE', 'an answer without the key exchange that it had chosen');
      sa.fail(now, error === undefined ? broken : peerRefused('IKE_INTERMEDIATE', error.type));
      return DONE;
    }
    conclude(sa, secret, ownContent(this.#request), opened);
    sa.window.add(new AuthInitiator(this.#init));
    return DONE;
  }

  #secret(ciphertext: Uint8Array | undefined): Uint8Array | undefined {
    try {
      return ciphertext === undefined ? undefined : this.#exchange?.sharedSecret(ciphertext);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return undefined;
    }
  }
}

/**
 * Answers the request. @returns payloads of the response, and what to do once that is sealed: it still goes under the keys of
 * before.
 * @throws DecodeError when there is no such key exchange in it.
 */
export function answerIntermediate(
  sa: IkeSa,
  payloads: readonly Payload[],
  request: OpenedContent,
): { readonly answer: readonly Payload[]; readonly afterwards: () => void } {
  const method = pendingExchange(sa);
  const ke = find(payloads, 'KE');
  if (method === undefined || ke?.group !== method.v2)
    throw new DecodeError('IKE_INTERMEDIATE without the key exchange');
  const { ciphertext, sharedSecret } = encapsulateTo(ke.data);
  const answer: readonly Payload[] = [{ kind: 'KE', group: method.v2, data: ciphertext }];
  return { answer, afterwards: () => conclude(sa, sharedSecret, request, ownContent(answer)) };
}

function ownContent(payloads: readonly Payload[]): OpenedContent {
  const { firstType, octets } = encodeChain(payloads);
  return { firstType, content: octets, reserved: 0 };
}

/** From now on the keys are those of both exchanges (RFC 9370 section 2.2.2), and AUTH covers this one. */
function conclude(sa: IkeSa, sharedSecret: Uint8Array, request: OpenedContent, response: OpenedContent): void {
  const { keys, proposal, nonces } = sa;
  if (keys === undefined || proposal === undefined || nonces === undefined) throw new Error('a message without keys');
  sa.intAuth = concatBytes(
    prf(proposal.prf, keys.skPi, covered(sa, request, false)),
    prf(proposal.prf, keys.skPr, covered(sa, response, true)),
    new ByteWriter(4).u32(AUTH_MESSAGE_ID).finish(),
  );
  const seed = seedOf(sa, nonces.nonceI, nonces.nonceR, sharedSecret);
  sa.setKeys(proposal, rekeyedIkeSaKeys(proposal, seed, { prf: proposal.prf, skD: keys.skD }));
  wipeIkeSaKeys(keys);
  wipe(sharedSecret);
}

/** `IntAuth_A | IntAuth_P` (RFC 9242 section 3.3.2): the message as it was before encryption, whole, with lengths to match. */
function covered(
  { spiI, spiR }: IkeSa,
  { firstType, content, reserved }: OpenedContent,
  response: boolean,
): Uint8Array {
  const payloadLength = PAYLOAD_HEADER + content.length;
  const header = {
    spiI,
    spiR,
    exchange: EXCHANGES.IKE_INTERMEDIATE,
    fromInitiator: !response,
    response,
    messageId: MESSAGE_ID,
  };
  return concatBytes(
    encodeHeader(header, ENCRYPTED.SK, HEADER_OCTETS + payloadLength),
    new ByteWriter(PAYLOAD_HEADER).u8(firstType).u8(reserved).u16(payloadLength).finish(),
    content,
  );
}
