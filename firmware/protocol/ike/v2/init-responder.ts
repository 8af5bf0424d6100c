/** IKE_SA_INIT as responder (RFC 7296 sections 1.2, 2.6, 2.7): what to do for a stranger, and what not. */
import { ByteWriter, DecodeError } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import { createKeyExchange } from '../crypto/dh.ts';
import { ikeSaKeys } from '../crypto/keys-v2.ts';
import { wipe } from '../crypto/secrets.ts';
import type { IkeConnection } from '../ike-types.ts';
import { HEADER_OCTETS, ZERO_SPI } from '../message-header.ts';
import { noIkeProposal } from '../no-proposal.ts';
import { withSuggestedProfile } from '../profiles/suggestion.ts';
import { chooseIkeProposal, type IkeOffer, type IkeProposal, ikeOffers } from '../proposals.ts';
import type { Admission } from './admission.ts';
import { certificateRequest } from './certificate-payload.ts';
import type { ReceivedHeader } from './header.ts';
import { type IkeHost, IkeSa } from './ike-sa.ts';
import {
  closingPayloads,
  firstFlightOf,
  type InitResult,
  NONCE_OCTETS,
  readClosingPayloads,
  seedOf,
} from './init-exchange.ts';
import { findNotify, notify } from './notify.ts';
import { decodeChain, find, type Payload } from './payload.ts';
import { hasUsePpk, usePpk } from './ppk.ts';
import { encodeIkeChoice, groupNumber, ikeOffersOf, type Offered } from './sa-payload.ts';
import { answerUnprotected } from './unprotected.ts';

/** An IKE SA between IKE_SA_INIT and IKE_AUTH. */
export interface HalfOpen extends InitResult {
  readonly until: Instant;
  /** Whose callers these may be, in the order of the configuration; the identity decides (section 2.15). */
  readonly candidates: readonly IkeConnection[];
}

/** Those that take callers from this address: those made for it first. */
function candidatesFor(connections: readonly IkeConnection[], address: string): readonly IkeConnection[] {
  return [
    ...connections.filter(({ remote }) => remote === address),
    ...connections.filter(({ remote }) => remote === 'any'),
  ];
}

/** Whoever is at this address has IKE SAs enough. */
function isCrowded(host: IkeHost, address: string): boolean {
  let count = 0;
  for (const { path } of host.ikeSas()) if (path.remote.address === address) count += 1;
  return count >= host.limits.ikeSasPerAddress;
}

/**
 * Answers a first message.
 * @throws DecodeError when it is malformed.
 */
export function answerInit(
  now: Instant,
  host: IkeHost,
  admission: Admission,
  header: ReceivedHeader,
  message: Uint8Array,
  path: UdpPath,
): void {
  const candidates = candidatesFor(host.connections, path.remote.address);
  const [first] = candidates;
  if (first === undefined) {
    host.counters.notAccepting += 1;
    return;
  }
  const { payloads, unsupportedCritical } = decodeChain(header.nextPayload, message.subarray(HEADER_OCTETS));
  const answer = (payload: Payload): void => answerUnprotected(host, header, [payload], path);
  if (unsupportedCritical !== undefined) {
    if (admission.answers(now)) answer(notify('UNSUPPORTED_CRITICAL_PAYLOAD', Uint8Array.of(unsupportedCritical)));
    return;
  }
  const nonce = find(payloads, 'Nonce');
  const ke = find(payloads, 'KE');
  const offered = ikeOffersOf(find(payloads, 'SA')?.proposals ?? [], 0);
  if (nonce === undefined || ke === undefined) throw new DecodeError('IKE_SA_INIT without KE or Nonce');
  const verdict = admission.judge(now, header.spiI, path.remote, nonce.data, findNotify(payloads, 'COOKIE')?.data);
  if (verdict.kind === 'cookie') {
    host.counters.cookieSent += 1;
    answer(notify('COOKIE', verdict.cookie));
    return;
  }
  if (verdict.kind === 'refused' || isCrowded(host, path.remote.address)) {
    host.counters.halfOpenLimit += 1;
    return;
  }
  const intermediate = findNotify(payloads, 'INTERMEDIATE_EXCHANGE_SUPPORTED') !== undefined;
  const acceptable = candidates.flatMap(({ ikeProposals }) => ikeProposals);
  const possible = acceptable.filter(({ additional }) => additional === undefined || intermediate);
  const choice = choose(offered, possible, ke.group);
  if (choice === undefined) {
    host.counters.noProposalChosen += 1;
    const offers = offered.map(({ offer }) => offer);
    const failure = noIkeProposal('IKE_SA_INIT', offers, acceptable);
    host.refused(now, first, withSuggestedProfile(failure, firstFlightOf(payloads, 'caller')));
    if (admission.answers(now)) answer(notify('NO_PROPOSAL_CHOSEN'));
    return;
  }
  const group = groupNumber(choice.proposal.group);
  if (group !== ke.group) {
    if (admission.answers(now)) answer(notify('INVALID_KE_PAYLOAD', new ByteWriter(2).u16(group).finish()));
    return;
  }
  const exchange = createKeyExchange(choice.proposal.group, host.random);
  let sharedSecret: Uint8Array;
  try {
    sharedSecret = exchange.sharedSecret(ke.data);
  } finally {
    exchange.destroy();
  }
  const nonceI = nonce.data.slice();
  const nonceR = host.random.bytes(NONCE_OCTETS);
  const sa = new IkeSa(now, host, {
    connection: first,
    path,
    initiator: false,
    spiI: header.spiI.slice(),
    spiR: host.newIkeSpi(),
    // Until the answer is made, a few lines below.
    state: { name: 'closing' },
    expectedId: 1,
  });
  sa.trace('received', 'IKE_SA_INIT', false, payloads);
  const forced = candidates.some(({ forceEncapsulation }) => forceEncapsulation === true);
  readClosingPayloads(sa, payloads, ZERO_SPI, path, forced);
  sa.nonces = { nonceI, nonceR };
  sa.usesPpk = hasUsePpk(payloads) && candidates.some(({ ppk }) => ppk !== undefined);
  const signed = sa.peerHashes.length > 0 && candidates.some(({ authentication }) => authentication.kind !== 'psk');
  const trusts = candidates.flatMap(({ authentication }) =>
    authentication.kind === 'certificate' ? [authentication.trust] : [],
  );
  const [response = new Uint8Array(0)] = sa.seal(
    'IKE_SA_INIT',
    0,
    [
      { kind: 'SA', proposals: encodeIkeChoice(choice.proposal, choice.number, new Uint8Array(0)) },
      { kind: 'KE', group, data: exchange.publicValue },
      { kind: 'Nonce', data: nonceR },
      ...certificateRequest(trusts),
      ...(choice.proposal.additional === undefined ? [] : [notify('INTERMEDIATE_EXCHANGE_SUPPORTED')]),
      ...usePpk(sa.usesPpk),
      ...closingPayloads(sa, signed),
    ],
    true,
  );
  sa.state = {
    name: 'half-open',
    init: {
      requestOctets: message.slice(),
      responseOctets: response,
      until: now + host.limits.halfOpenMs,
      candidates: candidates.filter(
        ({ ikeProposals }) => chooseIkeProposal(ikeOffers([choice.proposal]), ikeProposals) !== undefined,
      ),
    },
  };
  sa.setKeys(choice.proposal, ikeSaKeys(choice.proposal, seedOf(sa, nonceI, nonceR, sharedSecret)));
  wipe(sharedSecret);
  sa.replies.put(message, [response]);
  admission.opened(sa);
  sa.transmit([response]);
}

/** What fits the key exchange that the caller has begun already; else what fits, and costs it another message. */
function choose(offered: readonly Offered<IkeOffer>[], acceptable: readonly IkeProposal[], keGroup: number) {
  const offers = offered.map(({ offer }) => offer);
  const atHand = acceptable.find(({ group }) => groupNumber(group) === keGroup)?.group;
  const choice =
    (atHand === undefined ? undefined : chooseIkeProposal(offers, acceptable, { onlyGroup: atHand })) ??
    chooseIkeProposal(offers, acceptable);
  if (choice === undefined) return undefined;
  return { proposal: choice.proposal, number: offered[choice.index]?.proposal.number ?? 1 };
}
