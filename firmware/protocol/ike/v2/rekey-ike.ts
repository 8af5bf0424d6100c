/** CREATE_CHILD_SA that replaces the IKE SA (RFC 7296 sections 1.3.2, 2.8.2, 2.18, 2.25.2; RFC 9370 section 2.2.4). */
import { DecodeError } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import { createKeyExchange, type KeyExchange } from '../crypto/dh.ts';
import { type IkeSaSeed, rekeyedIkeSaKeys } from '../crypto/keys-v2.ts';
import { isZeroSpi, SPI_OCTETS } from '../message-header.ts';
import { noIkeProposal } from '../no-proposal.ts';
import { chooseIkeProposal, type IkeProposal, ikeOffers, takeoverProposals, withoutAdditional } from '../proposals.ts';
import { tokenPayloads } from './auth-outcome.ts';
import { DONE, type Exchange, type Finished, type ReceivedResponse } from './exchange.ts';
import { outOfStep } from './failures.ts';
import { awaitFollowUp, dropFollowUp, FollowUpKe, type FollowUpResult, GIVE_WAY_MS, linkOf } from './follow-up.ts';
import { IkeSa, REPLACED_MS } from './ike-sa.ts';
import { ikeDelete, tell } from './informational.ts';
import { NONCE_OCTETS } from './init-exchange.ts';
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

  begin(now: Instant, sa: IkeSa): readonly Payload[] | undefined {
    if (!sa.established || sa.proposal === undefined) return undefined;
    if (sa.followUp !== undefined) {
      sa.rekeyAt = now + GIVE_WAY_MS;
      return undefined;
    }
    const { host } = sa;
    sa.rekeyAt = undefined;
    this.#spi = host.newIkeSpi();
    this.#nonce = host.random.bytes(NONCE_OCTETS);
    this.#exchange = createKeyExchange(this.#group ?? sa.proposal.group, host.random);
    return [
      { kind: 'SA', proposals: encodeIkeOffers(ikeOffers(ourOffer(sa)), this.#spi) },
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
    if (this.#givesWay(now, sa)) return;
    const group = wantedGroup(
      payloads,
      sa.connection.ikeProposals.map((proposal) => proposal.group),
    );
    if (group !== undefined && this.#group === undefined) sa.window.add(new RekeyIke(group));
    else this.#later(now, sa, type);
  }

  /** The peer's own rekey stands, or is about to. */
  #givesWay(now: Instant, sa: IkeSa): boolean {
    if (sa.peerRekey !== undefined && !sa.peerRekey.sa.ended) adopt(now, sa, sa.peerRekey.sa);
    else if (sa.followUp?.subject === 'ike') sa.rekeyAt = sa.followUp.until;
    else return false;
    return true;
  }

  #later(now: Instant, sa: IkeSa, type?: number): void {
    if (sa.peerRekey?.sa.ended) sa.peerRekey = undefined;
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
    const { proposal } = chosen;
    const seed = { ...nonces, sharedSecret: secret };
    const role = { initiator: true, spiI: this.#spi, spiR: chosen.spi.slice() };
    const link = linkOf(payloads);
    if (proposal.additional === undefined || link === undefined) {
      const next = heir(now, sa, proposal, seed, role);
      next.peerToken = receivedToken(payloads);
      this.#decide(now, sa, next, nonces);
      return;
    }
    const rival = sa.peerRekey?.nonces ?? (sa.followUp?.subject === 'ike' ? sa.followUp.nonces : undefined);
    // Nothing is made yet: whoever has the lowest nonce does not go on (RFC 9370 section 2.2.4).
    if (!sa.established || (rival !== undefined && losesCollision(nonces, rival) && this.#givesWay(now, sa))) {
      this.#dismiss(sa);
      return;
    }
    dropFollowUp(sa, 'ike');
    const conclude = (at: Instant, { secret: additionalSecret, payloads, error }: FollowUpResult) => {
      if (additionalSecret !== undefined) {
        const next = heir(at, sa, proposal, { ...seed, additionalSecret }, role);
        next.peerToken = receivedToken(payloads);
        this.#decide(at, sa, next, nonces);
      } else if (error !== undefined) this.#refused(at, sa, payloads, error);
      else {
        this.#dismiss(sa);
        sa.note('IKE_FOLLOWUP_KE', 'the peer gave an incomplete answer');
        if (sa.established) this.#later(at, sa);
      }
    };
    sa.window.addFirst(new FollowUpKe(this, proposal.additional, link, conclude));
  }

  /** Which of the new ones stays (section 2.8.2). Whoever made the survivor deletes the old one. */
  #decide(now: Instant, sa: IkeSa, next: IkeSa, nonces: Nonces): void {
    const rival = sa.peerRekey;
    const standing = rival !== undefined && !rival.sa.ended;
    const pending = sa.followUp?.subject === 'ike' ? sa.followUp.nonces : undefined;
    const other = standing ? rival.nonces : pending;
    if (!sa.established || (other !== undefined && losesCollision(nonces, other))) {
      if (sa.established) this.#givesWay(now, sa);
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
    const choice = chooseIkeProposal([offered.offer], ourOffer(sa));
    if (choice === undefined) return undefined;
    const { proposal } = choice;
    if (proposal.additional !== undefined && linkOf(payloads) === undefined) return undefined;
    return { proposal, spi: offered.proposal.spi };
  }
}

/** An additional key exchange is for a peer that has done one. */
function ourOffer({ connection, proposal }: IkeSa): readonly IkeProposal[] {
  const { ikeProposals } = connection;
  return proposal?.additional === undefined ? withoutAdditional(ikeProposals) : takeoverProposals(ikeProposals);
}

/**
 * Answers a request to replace the IKE SA. @returns payloads of the response.
 * @throws DecodeError when it is incomplete.
 */
export function answerRekeyIke(now: Instant, sa: IkeSa, payloads: readonly Payload[]): readonly Payload[] {
  if (!sa.established || isBusy(sa) || sa.peerRekey !== undefined) return [notify('TEMPORARY_FAILURE')];
  const nonceI = find(payloads, 'Nonce')?.data.slice();
  const ke = find(payloads, 'KE');
  if (nonceI === undefined || ke === undefined) throw new DecodeError('rekey of the IKE SA without Nonce or KE');
  const offered = ikeOffersOf(find(payloads, 'SA')?.proposals ?? [], SPI_OCTETS);
  const offers = offered.map(({ offer }) => offer);
  const acceptable = takeoverProposals(sa.connection.ikeProposals);
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
  const seed = { ...nonces, sharedSecret };
  const role = { initiator: false, spiI: chosen.spi.slice(), spiR };
  const make = (at: Instant, made: Made) => {
    const next = heir(at, sa, proposal, made, role);
    if (sa.window.current?.duty === 'ike-rekey') sa.peerRekey = { sa: next, nonces };
    else adopt(at, sa, next);
    return tokenPayloads(next);
  };
  const answer = [
    { kind: 'SA', proposals: encodeIkeChoice(proposal, chosen.number, spiR) },
    { kind: 'Nonce', data: nonces.nonceR },
    payload,
  ] as const;
  const { additional } = proposal;
  if (additional === undefined) return [...answer, ...make(now, seed)];
  const followUp = awaitFollowUp(now, sa, {
    subject: 'ike',
    nonces,
    additional,
    conclude: (at, additionalSecret) =>
      isBusy(sa) || sa.peerRekey !== undefined ? undefined : make(at, { ...seed, additionalSecret }),
    drop: () => host.releaseSpi(spiR),
  });
  return [...answer, followUp];
}

/** It does something that the end of the IKE SA would come in between (section 2.25.2). */
function isBusy({ window: { current } }: IkeSa): boolean {
  const duty = current?.duty;
  return duty === 'child' || duty === 'child-delete' || duty === 'ike-delete';
}

/** What the keys are made of, beside SPIs. */
type Made = Omit<IkeSaSeed, 'spiI' | 'spiR'>;

/** The new IKE SA, with its keys, not in use yet. */
function heir(
  now: Instant,
  old: IkeSa,
  proposal: IkeProposal,
  made: Made,
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
  next.nonces = { nonceI: made.nonceI, nonceR: made.nonceR };
  const { keys, proposal: before } = old;
  if (keys === undefined || before === undefined) throw new Error('rekey of an IKE SA without keys');
  const seed = { ...made, spiI: next.spiI, spiR: next.spiR };
  // Its keys come from those before, and so from the additional key exchange that made them.
  const { additional } = before;
  const inherited = additional === undefined ? proposal : { ...proposal, additional };
  next.setKeys(inherited, rekeyedIkeSaKeys(proposal, seed, { prf: before.prf, skD: keys.skD }));
  return next;
}
