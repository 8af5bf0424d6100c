/** A peer that says what the test wants, in good encryption: the right side calls nobody, and is called by this one. */

import { preSharedKeyOf } from '../../../../../firmware/protocol/ike/authentication.ts';
import { createKeyExchange, type KeyExchange } from '../../../../../firmware/protocol/ike/crypto/dh.ts';
import { type IkeSaKeys, ikeSaKeys, pskAuth } from '../../../../../firmware/protocol/ike/crypto/keys-v2.ts';
import type { IkeConnection } from '../../../../../firmware/protocol/ike/ike-types.ts';
import { HEADER_OCTETS, ZERO_SPI } from '../../../../../firmware/protocol/ike/message-header.ts';
import { espOffers, type IkeProposal, ikeOffers } from '../../../../../firmware/protocol/ike/proposals.ts';
import { spiOctets } from '../../../../../firmware/protocol/ike/v2/child.ts';
import { MessageProtection } from '../../../../../firmware/protocol/ike/v2/encrypted.ts';
import { IkeV2Endpoint } from '../../../../../firmware/protocol/ike/v2/endpoint.ts';
import { decodeHeader } from '../../../../../firmware/protocol/ike/v2/header.ts';
import { encodeIdentity, idOctets } from '../../../../../firmware/protocol/ike/v2/identity.ts';
import { EXCHANGES, type ExchangeName } from '../../../../../firmware/protocol/ike/v2/numbers.ts';
import { decodeChain, encodeChain, find, type Payload } from '../../../../../firmware/protocol/ike/v2/payload.ts';
import { encodeEspOffers, encodeIkeOffers, groupNumber } from '../../../../../firmware/protocol/ike/v2/sa-payload.ts';
import type { IkeV2Options } from '../../../../../firmware/protocol/ike/v2/settings.ts';
import { encodeUnprotected } from '../../../../../firmware/protocol/ike/v2/unprotected.ts';
import type { UdpPath } from '../../../../../firmware/protocol/udp-path.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { FAST_ESP, FAST_IKE, LEFT, PATH, RIGHT, SaTable } from './harness.ts';

const REVERSED = { local: PATH.remote, remote: PATH.local };

export class ScriptedPeer {
  readonly random = new SeededRandom(42);
  readonly right: IkeV2Endpoint;
  readonly table = new SaTable();
  readonly failures: string[] = [];
  /** How often the right side was told that the path is another one. */
  moves = 0;
  #received: Uint8Array[] = [];
  readonly #spiI = this.random.bytes(8);
  #spiR: Uint8Array = ZERO_SPI;
  readonly #nonce = this.random.bytes(32);
  #nonceR: Uint8Array = new Uint8Array(0);
  #request: Uint8Array = new Uint8Array(0);
  #keys: IkeSaKeys | undefined;
  #protection: MessageProtection | undefined;
  #nextId = 1;

  readonly #proposal: IkeProposal;

  /** @param proposal what it offers. */
  constructor(
    right: Partial<IkeConnection> = {},
    options: Partial<IkeV2Options> = {},
    proposal: IkeProposal = FAST_IKE,
  ) {
    this.#proposal = proposal;
    this.right = new IkeV2Endpoint({ connections: [{ ...RIGHT, ...right }], ...options }, new SeededRandom(7));
  }

  /** Keys of the IKE SA, once there are any. */
  get keys(): IkeSaKeys | undefined {
    return this.#keys;
  }

  #header(exchange: ExchangeName, messageId: number) {
    const flags = { fromInitiator: true, response: false };
    return { spiI: this.#spiI, spiR: this.#spiR, exchange: EXCHANGES[exchange], messageId, ...flags };
  }

  #give(datagram: Uint8Array, path: UdpPath = REVERSED): Uint8Array | undefined {
    this.right.receive(0, datagram, path);
    for (let output = this.right.poll(); output !== undefined; output = this.right.poll()) {
      this.table.apply(output);
      if (output.kind === 'send') this.#received.push(output.datagram);
      if (output.kind === 'path') this.moves += 1;
      if (output.kind === 'ike-down') this.failures.push(output.failure.reason);
    }
    // Requests of the right side's may come along.
    return this.#received.splice(0).findLast((one) => decodeHeader(one).response || this.#keys === undefined);
  }

  #initPayloads({ publicValue }: KeyExchange): readonly Payload[] {
    return [
      { kind: 'SA', proposals: encodeIkeOffers(ikeOffers([this.#proposal]), new Uint8Array(0)) },
      { kind: 'KE', group: groupNumber(FAST_IKE.group), data: publicValue },
      { kind: 'Nonce', data: this.#nonce },
    ];
  }

  /** @returns payloads of the answer. */
  init(extra: readonly Payload[] = []): readonly Payload[] {
    const exchange = createKeyExchange(FAST_IKE.group, this.random);
    this.#request = encodeUnprotected(this.#header('IKE_SA_INIT', 0), [...this.#initPayloads(exchange), ...extra]);
    const response = this.#give(this.#request) ?? new Uint8Array(HEADER_OCTETS);
    const header = decodeHeader(response);
    const { payloads } = decodeChain(header.nextPayload, response.subarray(HEADER_OCTETS));
    const ke = find(payloads, 'KE');
    if (ke === undefined) return payloads;
    this.#spiR = header.spiR.slice();
    this.#nonceR = find(payloads, 'Nonce')?.data ?? new Uint8Array(0);
    const nonces = { nonceI: this.#nonce, nonceR: this.#nonceR };
    const sharedSecret = exchange.sharedSecret(ke.data);
    this.#keys = ikeSaKeys(FAST_IKE, { ...nonces, spiI: this.#spiI, spiR: this.#spiR, sharedSecret });
    this.#protection = new MessageProtection(FAST_IKE, this.#keys, true, this.random);
    return payloads;
  }

  /** IDi, AUTH and a child, as they should be. */
  authPayloads(): readonly Payload[] {
    const id = encodeIdentity(LEFT.localId ?? { kind: 'fqdn', value: '' });
    const data = pskAuth(FAST_IKE.prf, preSharedKeyOf(LEFT.authentication), {
      message: this.#request,
      peerNonce: this.#nonceR,
      skP: this.#keys?.skPi ?? new Uint8Array(0),
      idBody: idOctets(id),
    });
    return [
      { kind: 'IDi', ...id },
      { kind: 'AUTH', method: 2, data },
      { kind: 'SA', proposals: encodeEspOffers(espOffers([FAST_ESP]), spiOctets(0x1000)) },
      { kind: 'TSi', selectors: LEFT.localSelectors ?? [] },
      { kind: 'TSr', selectors: LEFT.remoteSelectors ?? [] },
    ];
  }

  /** A request with these octets inside. @returns payloads of the answer; `undefined` when there is none. */
  raw(exchange: ExchangeName, firstType: number, content: Uint8Array, path?: UdpPath): readonly Payload[] | undefined {
    const messageId = this.#nextId;
    this.#nextId += 1;
    const message = this.#protection?.seal(this.#header(exchange, messageId), firstType, content);
    const answer = this.#give(message ?? new Uint8Array(0), path);
    const opened = answer === undefined ? undefined : this.#protection?.open(answer);
    return opened === undefined ? undefined : decodeChain(opened.firstType, opened.content).payloads;
  }

  /** @param path on which it comes. */
  ask(exchange: ExchangeName, payloads: readonly Payload[], path?: UdpPath): readonly Payload[] | undefined {
    const { firstType, octets } = encodeChain(payloads);
    return this.raw(exchange, firstType, octets, path);
  }

  /** Answers a request of the right side's. */
  reply(exchange: ExchangeName, messageId: number, payloads: readonly Payload[]): void {
    const { firstType, octets } = encodeChain(payloads);
    const header = { ...this.#header(exchange, messageId), response: true };
    this.#give(this.#protection?.seal(header, firstType, octets) ?? new Uint8Array(0));
  }

  /** Somebody else begins from there, and gets an answer. */
  neighbour(path: UdpPath): void {
    const spiI = this.random.bytes(8);
    const header = { ...this.#header('IKE_SA_INIT', 0), spiI, spiR: ZERO_SPI };
    this.right.receive(
      0,
      encodeUnprotected(header, this.#initPayloads(createKeyExchange(FAST_IKE.group, this.random))),
      path,
    );
    while (this.right.poll() !== undefined);
  }

  connect(): this {
    this.init();
    this.ask('IKE_AUTH', this.authPayloads());
    return this;
  }
}
