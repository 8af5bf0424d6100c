/** CREATE_CHILD_SA that replaces the IKE SA (RFC 7296 sections 1.3.2, 2.8.2, 2.18, 2.25.2). */
import { DecodeError } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import { createKeyExchange, type KeyExchange } from '../crypto/dh.ts';
import { rekeyedIkeSaKeys } from '../crypto/keys-v2.ts';
import { isZeroSpi, SPI_OCTETS } from '../message-header.ts';
import { noIkeProposal } from '../no-proposal.ts';
import { chooseIkeProposal, type IkeProposal, ikeOffers, withoutAdditional } from '../proposals.ts';
import { tokenPayloads } from './auth-outcome.ts';
import { DONE, type Exchange, type Finished, type ReceivedResponse } from './exchange.ts';
import { outOfStep } from './failures.ts';
import { IkeSa, REPLACED_MS } from './ike-sa.ts';
import { ikeDelete, tell } from './informational.ts';
import { NONCE_OCTETS, seedOf } from './init-exchange.ts';
import { retryAt } from './lifetime.ts';
import { findError, notify } from './notify.ts';
import { NOTIFY, notifyText } from './numbers.ts';
import { find, type Payload } from './payload.ts';
import { answerKe, finishKe, invalidKe, kePayload, wantedGroup } from './pfs.ts';
import { receivedToken } from './qcd.ts';
import { MAX_REFUSALS } from './rekey-child.ts';
import { encodeIkeChoice, encodeIkeOffers, groupName, ikeOffersOf, isChoice } from './sa-payload.ts';
import { adopt, losesCollision, type Nonces } from './takeover.ts';

/** What the peer's rekey has made while ours is under way. */
export interface PeerIkeRekey {
  readonly sa: IkeSa;
  readonly nonces: Nonces;
}

export class RekeyIke implements Exchange {
  readonly name = 'CREATE_CHILD_SA';
  readonly duty = 'ike-rekey';
  readonly #group: string | undefined;
  #spi: Uint8Array = new Uint8Array(0);
  #nonce: Uint8Array = new Uint8Array(0);
  #exchange: KeyExchange | undefined;

  constructor(group?: string) {
    this.#group = group;
  }

  begin(_now: Instant, sa: IkeSa): readonly Payload[] | undefined {
    if (!sa.established || sa.proposal === undefined) return undefined;
    const { host, connection } = sa;
    sa.rekeyAt = undefined;
    this.#spi = host.newIkeSpi();
    this.#nonce = host.random.bytes(NONCE_OCTETS);
    this.#exchange = createKeyExchange(this.#group ?? sa.proposal.group, host.random);
    return [
      { kind: 'SA', proposals: encodeIkeOffers(ikeOffers(withoutAdditional(connection.ikeProposals)), this.#spi) },
      { kind: 'Nonce', data: this.#nonce },
      kePayload(this.#exchange),
    ];
  }

  finish(now: Instant, sa: IkeSa, { payloads }: ReceivedResponse): Finished {
    const error = findError(payloads);
    if (error !== undefined) this.#refused(now, sa, payloads, error.type);
    else this.#agree(now, sa, payloads);
    return DONE;
  }

  unanswered(now: Instant, sa: IkeSa): void {
    this.#dismiss(sa);
    if (sa.established && sa.peerRekey !== undefined && !sa.peerRekey.sa.ended) adopt(now, sa, sa.peerRekey.sa);
  }

  #dismiss(sa: IkeSa): void {
    this.#exchange?.destroy();
    sa.host.releaseSpi(this.#spi);
  }

  #refused(now: Instant, sa: IkeSa, payloads: readonly Payload[], type: number): void {
    this.#dismiss(sa);
    sa.note('CREATE_CHILD_SA', `the peer refused to rekey the IKE SA with ${notifyText(type)}`);
    if (!sa.established) return;
    if (sa.peerRekey !== undefined && !sa.peerRekey.sa.ended) {
      adopt(now, sa, sa.peerRekey.sa);
      return;
    }
    const group = wantedGroup(
      payloads,
      sa.connection.ikeProposals.map((proposal) => proposal.group),
    );
    if (group !== undefined && this.#group === undefined) sa.window.add(new RekeyIke(group));
    else this.#later(now, sa, type);
  }

  #later(now: Instant, sa: IkeSa, type?: number): void {
    sa.refusals += 1;
    if (type === NOTIFY.TEMPORARY_FAILURE && sa.refusals >= MAX_REFUSALS) {
      sa.end(now, outOfStep());
      sa.window.add(ikeDelete());
      return;
    }
    sa.rekeyAt = retryAt(now, sa.refusals, sa.host.random);
  }

  #agree(now: Instant, sa: IkeSa, payloads: readonly Payload[]): void {
    const exchange = this.#exchange;
    const nonceR = find(payloads, 'Nonce')?.data.slice();
    const secret = exchange === undefined ? undefined : finishKe(exchange, find(payloads, 'KE'));
    const chosen = this.#chosen(sa, payloads);
    if (nonceR === undefined || secret === undefined || chosen?.proposal.group !== exchange?.group || !chosen) {
      this.#dismiss(sa);
      sa.note('CREATE_CHILD_SA', 'the peer gave an answer to the rekey of the IKE SA that makes no sense');
      if (sa.established) this.#later(now, sa);
      return;
    }
    const nonces = { nonceI: this.#nonce, nonceR };
    const next = heir(now, sa, chosen.proposal, nonces, secret, {
      initiator: true,
      spiI: this.#spi,
      spiR: chosen.spi,
    });
    next.peerToken = receivedToken(payloads);
    this.#decide(now, sa, next, nonces);
  }

  /** Which of the new ones stays (section 2.8.2). Whoever made the survivor deletes the old one. */
  #decide(now: Instant, sa: IkeSa, next: IkeSa, nonces: Nonces): void {
    const rival = sa.peerRekey;
    const standing = rival !== undefined && !rival.sa.ended;
    if (!sa.established || (standing && losesCollision(nonces, rival.nonces))) {
      if (sa.established && rival !== undefined) adopt(now, sa, rival.sa);
      next.end(now, outOfStep());
      next.window.add(ikeDelete());
      next.window.pump(now);
      return;
    }
    adopt(now, sa, next);
    sa.window.add(ikeDelete());
    const token = tokenPayloads(next);
    if (token.length > 0) next.window.add(tell(token));
    next.window.pump(now);
    if (!standing) return;
    rival.sa.state = { name: 'replaced', by: next };
    rival.sa.expiresAt = now + REPLACED_MS;
  }

  #chosen(sa: IkeSa, payloads: readonly Payload[]): { proposal: IkeProposal; spi: Uint8Array } | undefined {
    const [offered, ...more] = ikeOffersOf(find(payloads, 'SA')?.proposals ?? [], SPI_OCTETS);
    if (offered === undefined || more.length > 0 || isZeroSpi(offered.proposal.spi)) return undefined;
    if (!isChoice(offered.offer)) return undefined;
    const choice = chooseIkeProposal([offered.offer], withoutAdditional(sa.connection.ikeProposals));
    return choice === undefined ? undefined : { proposal: choice.proposal, spi: offered.proposal.spi };
  }
}

/**
 * Answers a request to replace the IKE SA. @returns payloads of the response.
 * @throws DecodeError when it is incomplete.
 */
export function answerRekeyIke(now: Instant, sa: IkeSa, payloads: readonly Payload[]): readonly Payload[] {
  const duty = sa.window.current?.duty;
  const busy = duty === 'child' || duty === 'child-delete' || duty === 'ike-delete';
  if (!sa.established || busy || sa.peerRekey !== undefined) return [notify('TEMPORARY_FAILURE')];
  const nonceI = find(payloads, 'Nonce')?.data.slice();
  const ke = find(payloads, 'KE');
  if (nonceI === undefined || ke === undefined) throw new DecodeError('rekey of the IKE SA without Nonce or KE');
  const offered = ikeOffersOf(find(payloads, 'SA')?.proposals ?? [], SPI_OCTETS);
  const offers = offered.map(({ offer }) => offer);
  const acceptable = withoutAdditional(sa.connection.ikeProposals);
  const keGroup = groupName(ke.group);
  const choice =
    (keGroup === undefined ? undefined : chooseIkeProposal(offers, acceptable, { onlyGroup: keGroup })) ??
    chooseIkeProposal(offers, acceptable);
  const chosen = choice === undefined ? undefined : offered[choice.index]?.proposal;
  if (choice === undefined || chosen === undefined || isZeroSpi(chosen.spi)) {
    sa.note('CREATE_CHILD_SA', noIkeProposal('rekey', offers, acceptable).reason);
    return [notify('NO_PROPOSAL_CHOSEN')];
  }
  const { proposal } = choice;
  if (proposal.group !== keGroup) return [invalidKe(proposal.group)];
  const { host } = sa;
  const { payload, sharedSecret } = answerKe(ke, host.random);
  const nonces = { nonceI, nonceR: host.random.bytes(NONCE_OCTETS) };
  const spiR = host.newIkeSpi();
  const next = heir(now, sa, proposal, nonces, sharedSecret, { initiator: false, spiI: chosen.spi.slice(), spiR });
  if (duty === 'ike-rekey') sa.peerRekey = { sa: next, nonces };
  else adopt(now, sa, next);
  return [
    { kind: 'SA', proposals: encodeIkeChoice(proposal, chosen.number, spiR) },
    { kind: 'Nonce', data: nonces.nonceR },
    payload,
    ...tokenPayloads(next),
  ];
}

/** The new IKE SA, with its keys, not in use yet. */
function heir(
  now: Instant,
  old: IkeSa,
  proposal: IkeProposal,
  nonces: Nonces,
  sharedSecret: Uint8Array,
  role: { readonly initiator: boolean; readonly spiI: Uint8Array; readonly spiR: Uint8Array },
): IkeSa {
  const { connection, host, path } = old;
  const next = new IkeSa(now, host, {
    connection,
    path,
    ...role,
    spiR: role.spiR.slice(),
    state: { name: 'undecided', of: old },
    expectedId: 0,
  });
  next.expiresAt = now + REPLACED_MS;
  next.asked = old.asked;
  next.nat = old.nat;
  next.encapsulationAgreed = old.encapsulationAgreed;
  next.mobility = old.mobility;
  next.fragmentation = old.fragmentation;
  next.implementation = old.implementation;
  next.looksLike = old.looksLike;
  next.peerId = old.peerId;
  next.nonces = nonces;
  const { keys, proposal: before } = old;
  if (keys === undefined || before === undefined) throw new Error('rekey of an IKE SA without keys');
  const seed = seedOf(next, nonces.nonceI, nonces.nonceR, sharedSecret);
  // Its keys come from those before, and so from the additional key exchange that made them.
  const { additional } = before;
  const inherited = additional === undefined ? proposal : { ...proposal, additional };
  next.setKeys(inherited, rekeyedIkeSaKeys(proposal, seed, { prf: before.prf, skD: keys.skD }));
  return next;
}
