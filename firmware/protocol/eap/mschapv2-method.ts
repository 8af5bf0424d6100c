/**
 * EAP MSCHAPv2 (draft-kamath-pppext-eap-mschapv2 sections 2 and 3): MS-CHAPv2 (RFC 2759) in EAP, with both sides'
 * proofs said and acknowledged before EAP's own Success.
 */
import { ByteReader, ByteWriter, utf8Bytes } from '../bytes.ts';
import type { Failure, RandomSource } from '../machine.ts';
import type { ChapProof } from '../ppp/chap.ts';
import { decodeMsChapV2Response, explainFailure, MSCHAP_V2, RESPONSE_LENGTH } from '../ppp/mschapv2.ts';
import { CHALLENGE_LENGTH, masterSessionKey, ntPasswordHash } from '../ppp/mschapv2-crypto.ts';
import type { AuthenticatorMethod, AuthenticatorSettings, EapCredentials, MethodStep, PeerMethod } from './methods.ts';

/** OpCodes (section 2). */
export const MSCHAPV2_CHALLENGE = 1;
export const MSCHAPV2_RESPONSE = 2;
export const MSCHAPV2_SUCCESS = 3;
export const MSCHAPV2_FAILURE = 4;

/** OpCode, MS-CHAPv2-ID and MS-Length, octets. */
const HEADER = 4;

/** One packet of the method. Success and Failure Responses have an OpCode and nothing else. */
export interface EapMsChapV2 {
  readonly opCode: number;
  /** MS-CHAPv2-ID, 0..255. */
  readonly id: number;
  /** What stands behind MS-Length. MS-Length itself is not looked at: peers get it wrong, and EAP's Length says enough. */
  readonly body: Uint8Array;
}

/** @throws DecodeError when a Challenge or Response, or a Request at all, ends within its header. */
export function decodeEapMsChapV2(typeData: Uint8Array): EapMsChapV2 {
  const reader = new ByteReader(typeData);
  const opCode = reader.u8('OpCode');
  if (reader.remaining === 0 && opCode > MSCHAPV2_RESPONSE) return { opCode, id: 0, body: new Uint8Array(0) };
  const id = reader.u8('MS-CHAPv2-ID');
  reader.u16('MS-Length');
  return { opCode, id, body: reader.rest() };
}

export function encodeEapMsChapV2({ opCode, id, body }: EapMsChapV2): Uint8Array {
  const length = HEADER + body.length;
  return new ByteWriter(length).u8(opCode).u8(id).u16(length).bytes(body).finish();
}

/** Value-Size, Value and Name of a Challenge or a Response. @throws DecodeError when the value is not `length` octets. */
function decodeValue(body: Uint8Array, length: number): { readonly value: Uint8Array; readonly name: Uint8Array } {
  const reader = new ByteReader(body);
  reader.u8('Value-Size');
  return { value: reader.bytes(length, 'Value'), name: reader.rest() };
}

function encodeValue(value: Uint8Array, name: string): Uint8Array {
  return new ByteWriter().u8(value.length).bytes(value).bytes(utf8Bytes(name)).finish();
}

export class MsChapV2Peer implements PeerMethod {
  readonly #credentials: EapCredentials;
  readonly #random: RandomSource;
  readonly #isReflected: (challenge: Uint8Array) => boolean;
  #proof: ChapProof | undefined;
  #content = false;
  #failure: Failure | undefined;

  constructor(credentials: EapCredentials, random: RandomSource, isReflected: (challenge: Uint8Array) => boolean) {
    this.#credentials = credentials;
    this.#random = random;
    this.#isReflected = isReflected;
  }

  /** Only once the server has proved that it knows the password. */
  get content(): boolean {
    return this.#content;
  }

  get failure(): Failure | undefined {
    return this.#failure;
  }

  get masterSessionKey(): Uint8Array | undefined {
    if (!this.#content || this.#proof === undefined) return undefined;
    return sessionKey(this.#credentials.password, this.#proof.value);
  }

  request(_identifier: number, typeData: Uint8Array): Uint8Array | undefined {
    const { opCode, id, body } = decodeEapMsChapV2(typeData);
    const { user, password } = this.#credentials;
    switch (opCode) {
      case MSCHAPV2_CHALLENGE: {
        const { value: challenge } = decodeValue(body.slice(), CHALLENGE_LENGTH);
        if (this.#isReflected(challenge)) return undefined;
        this.#content = false;
        const input = { identifier: id, challenge, name: utf8Bytes(user), password };
        this.#proof = MSCHAP_V2.respond(input, this.#random);
        return encodeEapMsChapV2({ opCode: MSCHAPV2_RESPONSE, id, body: encodeValue(this.#proof.value, user) });
      }
      case MSCHAPV2_SUCCESS:
        if (this.#proof === undefined) return undefined;
        this.#failure = this.#proof.confirm(body);
        if (this.#failure !== undefined) return Uint8Array.of(MSCHAPV2_FAILURE);
        this.#content = true;
        return Uint8Array.of(MSCHAPV2_SUCCESS);
      case MSCHAPV2_FAILURE:
        if (this.#proof === undefined) return undefined;
        this.#content = false;
        this.#failure = explainFailure(user, body, 'eap');
        return Uint8Array.of(MSCHAPV2_FAILURE);
      default:
        return undefined;
    }
  }
}

/** @param response Value of the Response, {@link RESPONSE_LENGTH} octets. */
function sessionKey(password: string, response: Uint8Array): Uint8Array {
  return masterSessionKey(ntPasswordHash(password), decodeMsChapV2Response(response).ntResponse);
}

type Stage = { readonly kind: 'challenged' | 'failed'; readonly name: Uint8Array } | { kind: 'proved'; user: string };

export class MsChapV2Authenticator implements AuthenticatorMethod {
  readonly challenge: Uint8Array;
  readonly #settings: AuthenticatorSettings;
  #stage: Stage = { kind: 'challenged', name: new Uint8Array(0) };
  #id = 0;
  #masterSessionKey: Uint8Array | undefined;

  constructor(settings: AuthenticatorSettings) {
    this.#settings = settings;
    this.challenge = settings.random.bytes(CHALLENGE_LENGTH);
  }

  get masterSessionKey(): Uint8Array | undefined {
    return this.#masterSessionKey;
  }

  begin(identifier: number): Uint8Array {
    this.#id = identifier;
    const body = encodeValue(this.challenge, this.#settings.name);
    return encodeEapMsChapV2({ opCode: MSCHAPV2_CHALLENGE, id: identifier, body });
  }

  response(_identifier: number, typeData: Uint8Array): MethodStep {
    const { opCode, body } = decodeEapMsChapV2(typeData);
    const stage = this.#stage;
    switch (stage.kind) {
      case 'challenged':
        return opCode === MSCHAPV2_RESPONSE ? this.#verify(body) : { kind: 'discard' };
      case 'proved':
        if (opCode === MSCHAPV2_SUCCESS) return { kind: 'success', user: stage.user };
        // The peer was not content with our proof: it believes that this side does not know its password.
        return opCode === MSCHAPV2_FAILURE ? { kind: 'failure', name: this.#settings.identity } : { kind: 'discard' };
      case 'failed':
        return opCode === MSCHAPV2_FAILURE ? { kind: 'failure', name: stage.name } : { kind: 'discard' };
    }
  }

  #verify(body: Uint8Array): MethodStep {
    const { value, name } = decodeValue(body.slice(), RESPONSE_LENGTH);
    const { find, random } = this.#settings;
    const { user, password, exists } = find(name);
    const input = { identifier: this.#id, challenge: this.challenge, name, password };
    const { ok, successMessage } = MSCHAP_V2.verify(input, value);
    const accepted = ok && exists;
    if (accepted) this.#masterSessionKey = sessionKey(password, value);
    this.#stage = accepted ? { kind: 'proved', user } : { kind: 'failed', name };
    const message = accepted ? successMessage : MSCHAP_V2.failureMessage(random);
    const opCode = accepted ? MSCHAPV2_SUCCESS : MSCHAPV2_FAILURE;
    // With the MS-CHAPv2-ID of the Response that they answer (section 2.3).
    return { kind: 'request', typeData: encodeEapMsChapV2({ opCode, id: this.#id, body: utf8Bytes(message) }) };
  }
}
