/**
 * IKE_SA_INIT as initiator (RFC 7296 sections 1.2, 2.6, 2.6.1, 2.7). Nothing that comes in here is authenticated yet.
 */
import { ByteReader, DecodeError } from '../../bytes.ts';
import type { Failure, Instant } from '../../machine.ts';
import { createKeyExchange, type KeyExchange } from '../crypto/dh.ts';
import { ikeSaKeys } from '../crypto/keys-v2.ts';
import { wipe } from '../crypto/secrets.ts';
import { isZeroSpi } from '../message-header.ts';
import { ahThroughNat, movedToNatPort } from '../nat.ts';
import { ikeOfferRefused } from '../no-proposal.ts';
import { chooseIkeProposal, type IkeProposal, ikeOffers, isForAh } from '../proposals.ts';
import { peerHasNoPpk } from './auth-failures.ts';
import { AuthInitiator } from './auth-initiator.ts';
import { DONE, type Exchange, type Finished, type ReceivedResponse } from './exchange.ts';
import { malformed, peerRefused } from './failures.ts';
import type { IkeSa } from './ike-sa.ts';
import { closingPayloads, NONCE_OCTETS, readClosingPayloads, seedOf } from './init-exchange.ts';
import { IntermediateInitiator } from './intermediate.ts';
import { prefersNatPort } from './mobike.ts';
import { detectNat } from './natd.ts';
import { findError, findNotify, notify } from './notify.ts';
import { NOTIFY } from './numbers.ts';
import { find, type Payload } from './payload.ts';
import { hasUsePpk, usePpk } from './ppk.ts';
import { encodeIkeOffers, groupName, groupNumber, ikeOffersOf, isChoice } from './sa-payload.ts';

/** Longest cookie in octets (section 2.6). */
const MAX_COOKIE = 64;

/**
 * How long an unprotected refusal waits for a better answer, ms: anybody can forge one, but a person should not wait
 * for
 * half a minute to read a true one (section 2.21.1).
 */
const REFUSAL_GRACE_MS = 2000;

export class InitInitiator implements Exchange {
  readonly name = 'IKE_SA_INIT';
  readonly duty = 'init';
  #nonce: Uint8Array = new Uint8Array(0);
  #exchange: KeyExchange | undefined;
  #cookie: Uint8Array | undefined;
  #regrouped = false;

  begin(_now: Instant, sa: IkeSa): readonly Payload[] {
    this.#nonce = sa.host.random.bytes(NONCE_OCTETS);
    this.#exchange = createKeyExchange(sa.connection.ikeProposals[0]?.group ?? '', sa.host.random);
    return this.#request(sa);
  }

  /** A retry is the same but for what it was asked to change, so that a cookie stays good (section 2.6.1). */
  #request(sa: IkeSa): readonly Payload[] {
    const { group = '', publicValue = new Uint8Array(0) } = this.#exchange ?? {};
    return [
      ...(this.#cookie === undefined ? [] : [notify('COOKIE', this.#cookie)]),
      { kind: 'SA', proposals: encodeIkeOffers(ikeOffers(sa.connection.ikeProposals), new Uint8Array(0)) },
      { kind: 'KE', group: groupNumber(group), data: publicValue },
      { kind: 'Nonce', data: this.#nonce },
      ...(sa.connection.ikeProposals.some(({ additional }) => additional)
        ? [notify('INTERMEDIATE_EXCHANGE_SUPPORTED')]
        : []),
      ...usePpk(sa.connection.ppk !== undefined),
      ...closingPayloads(sa, sa.connection.authentication.kind !== 'psk'),
    ];
  }

  finish(now: Instant, sa: IkeSa, response: ReceivedResponse): Finished {
    const { payloads } = response;
    const cookie = findNotify(payloads, 'COOKIE')?.data;
    if (cookie !== undefined) return this.#withCookie(sa, cookie);
    const wanted = findNotify(payloads, 'INVALID_KE_PAYLOAD')?.data;
    if (wanted !== undefined) return this.#withGroup(sa, wanted);
    const error = findError(payloads);
    if (error !== undefined) {
      const refused = error.type === NOTIFY.NO_PROPOSAL_CHOSEN;
      const failure = refused
        ? ikeOfferRefused('IKE_SA_INIT', sa.connection.ikeProposals)
        : peerRefused('IKE_SA_INIT', error.type);
      return this.#refused(now, sa, failure);
    }
    return this.#agree(now, sa, response);
  }

  unanswered(): void {
    this.#exchange?.destroy();
  }

  #withCookie(sa: IkeSa, cookie: Uint8Array): Finished {
    if (this.#cookie !== undefined || cookie.length === 0 || cookie.length > MAX_COOKIE) return { kind: 'wait' };
    this.#cookie = cookie.slice();
    return { kind: 'again', payloads: this.#request(sa) };
  }

  #withGroup(sa: IkeSa, wanted: Uint8Array): Finished {
    const group = wanted.length === 2 ? groupName(new ByteReader(wanted).u16('group')) : undefined;
    const offered = sa.connection.ikeProposals.some((proposal) => proposal.group === group);
    if (this.#regrouped || group === undefined || !offered || group === this.#exchange?.group) return { kind: 'wait' };
    this.#regrouped = true;
    this.#exchange?.destroy();
    this.#exchange = createKeyExchange(group, sa.host.random);
    return { kind: 'again', payloads: this.#request(sa) };
  }

  #refused(now: Instant, sa: IkeSa, failure: Failure): Finished {
    if (sa.hint === undefined) sa.window.giveUpBy(now + REFUSAL_GRACE_MS);
    sa.hint ??= failure;
    return { kind: 'wait' };
  }

  #agree(now: Instant, sa: IkeSa, { payloads, message, spiR }: ReceivedResponse): Finished {
    const proposal = this.#chosen(sa, payloads);
    const exchange = this.#exchange;
    const ke = find(payloads, 'KE');
    const nonce = find(payloads, 'Nonce');
    const bad = (what: string): Finished => this.#refused(now, sa, malformed('IKE_SA_INIT', what));
    if (ke === undefined || nonce === undefined || isZeroSpi(spiR)) return bad('an incomplete answer to IKE_SA_INIT');
    if (proposal === undefined) return bad('a choice of algorithms that we did not offer');
    if (proposal.additional !== undefined && findNotify(payloads, 'INTERMEDIATE_EXCHANGE_SUPPORTED') === undefined) {
      return bad('a choice of an additional key exchange without saying how');
    }
    sa.usesPpk = sa.connection.ppk !== undefined && hasUsePpk(payloads);
    if (sa.connection.ppk?.mandatory && !sa.usesPpk) return this.#refused(now, sa, peerHasNoPpk());
    if (exchange === undefined || proposal.group !== exchange.group || ke.group !== groupNumber(exchange.group)) {
      return bad('a key exchange in another group than it chose');
    }
    const nat = detectNat(payloads, sa.spiI, spiR, sa.path, { agreed: false, forced: false });
    if (isForAh(sa.connection.espProposals) && (nat.local || nat.remote)) {
      return this.#refused(now, sa, ahThroughNat('IKE_SA_INIT', nat));
    }
    let sharedSecret: Uint8Array;
    try {
      sharedSecret = exchange.sharedSecret(ke.data);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      return bad('a public value that is none');
    }
    exchange.destroy();
    sa.spiR = spiR.slice();
    readClosingPayloads(sa, payloads, sa.spiR, sa.path, sa.connection.forceEncapsulation === true);
    const nonceR = nonce.data.slice();
    sa.nonces = { nonceI: this.#nonce, nonceR };
    sa.setKeys(proposal, ikeSaKeys(proposal, seedOf(sa, this.#nonce, nonceR, sharedSecret)));
    wipe(sharedSecret);
    const requestOctets = sa.window.currentDatagrams[0] ?? new Uint8Array(0);
    if (sa.encapsulation !== undefined || prefersNatPort(sa)) sa.path = movedToNatPort(sa.path);
    sa.hint = undefined;
    const init = { requestOctets, responseOctets: message.slice() };
    const more = proposal.additional !== undefined;
    sa.window.add(more ? new IntermediateInitiator(init) : new AuthInitiator(init));
    return DONE;
  }

  #chosen(sa: IkeSa, payloads: readonly Payload[]): IkeProposal | undefined {
    const [offered, ...more] = ikeOffersOf(find(payloads, 'SA')?.proposals ?? [], 0);
    if (offered === undefined || more.length > 0) return undefined;
    if (!isChoice(offered.offer)) return undefined;
    return chooseIkeProposal([offered.offer], sa.connection.ikeProposals)?.proposal;
  }
}
