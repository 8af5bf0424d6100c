/**
 * What becomes of a message for a known IKE SA: verification, windows, and whose answer it is (RFC 7296 sections
 * 2.1-2.3).
 */
import { DecodeError } from '../../bytes.ts';
import type { Instant } from '../../machine.ts';
import { sameEndpoint, type UdpPath } from '../../udp-path.ts';
import { HEADER_OCTETS } from '../message-header.ts';
import { brokenOff } from './auth-eap-responder.ts';
import { answerAuth } from './auth-responder.ts';
import { peekFragment } from './encrypted.ts';
import type { OpenedContent } from './exchange.ts';
import { malformed, peerRefused, peerRestarted } from './failures.ts';
import { answerFollowUp } from './follow-up.ts';
import type { ReceivedHeader } from './header.ts';
import type { IkeSa } from './ike-sa.ts';
import { answerInformational, deletesIkeSa } from './informational.ts';
import { answerIntermediate, pendingExchange } from './intermediate.ts';
import { findError, findNotify, notify } from './notify.ts';
import { type ExchangeName, exchangeName, PROTOCOL } from './numbers.ts';
import { type Chain, decodeChain, ENCRYPTED, find, findAll, type Payload } from './payload.ts';
import { carriesToken } from './qcd.ts';
import { answerCreateChild } from './rekey-child.ts';
import { answerRekeyIke } from './rekey-ike.ts';
import { adopt } from './takeover.ts';
import { probe } from './timers.ts';

/**
 * Takes in a message whose SPIs are those of `sa`.
 * @throws DecodeError when it is malformed and nobody has vouched for it.
 */
export function receiveFor(now: Instant, sa: IkeSa, header: ReceivedHeader, message: Uint8Array, path: UdpPath): void {
  const encrypted = header.nextPayload === ENCRYPTED.SK || header.nextPayload === ENCRYPTED.SKF;
  if (sa.protection === undefined || !encrypted) receiveUnprotected(now, sa, header, message);
  else if (header.response) receiveResponse(now, sa, header, message, path);
  else receiveRequest(now, sa, header, message, path);
  sa.window.pump(now);
  // What it was still to ask, behind the answer that made the other one.
  if (sa.state.name === 'replaced') sa.state.by.window.pump(now);
}

/** The answer to IKE_SA_INIT; all else is but a hint (section 2.4), save the proof of RFC 6290. */
function receiveUnprotected(now: Instant, sa: IkeSa, header: ReceivedHeader, message: Uint8Array): void {
  const { payloads, unsupportedCritical } = decodeChain(header.nextPayload, message.subarray(HEADER_OCTETS));
  const awaitsInit = sa.state.name === 'initiating' && sa.protection === undefined;
  if (awaitsInit) {
    const fits = header.response && exchangeName(header.exchange) === 'IKE_SA_INIT' && header.messageId === 0;
    if (!fits || unsupportedCritical !== undefined) return;
    sa.trace('received', 'IKE_SA_INIT', true, payloads);
    sa.window.complete(now, { payloads, message, spiR: header.spiR });
    return;
  }
  if (sa.ended) return;
  if (carriesToken(payloads, sa.peerToken)) {
    sa.fail(now, peerRestarted());
    sa.forget();
    return;
  }
  const error = findError(payloads);
  if (error === undefined) return;
  if (sa.established) probe(now, sa);
  else if (sa.state.name === 'initiating') sa.hint ??= peerRefused('IKE_AUTH', error.type);
}

function receiveResponse(now: Instant, sa: IkeSa, header: ReceivedHeader, message: Uint8Array, path: UdpPath): void {
  const { current, awaitedId } = sa.window;
  if (current === undefined || header.messageId !== awaitedId || exchangeName(header.exchange) !== current.name) {
    sa.host.counters.wrongMessageId += 1;
    return;
  }
  const opened = open(now, sa, header, message);
  if (opened === undefined) return;
  heard(now, sa, path);
  if (sa.ended && current.duty !== 'ike-delete') {
    sa.window.dismiss();
    return;
  }
  let chain: Chain;
  try {
    chain = decodeChain(opened.firstType, opened.content);
  } catch (error) {
    // What verifies and is malformed is a fault of the peer's that asking again will not heal.
    if (!(error instanceof DecodeError)) throw error;
    sa.fail(now, malformed(current.name, 'a malformed response'));
    return;
  }
  sa.trace('received', current.name, true, chain.payloads);
  if (chain.unsupportedCritical !== undefined) {
    sa.fail(
      now,
      malformed(current.name, `a response with an unknown payload ${chain.unsupportedCritical} marked critical`),
    );
    return;
  }
  sa.window.complete(now, { payloads: chain.payloads, message, spiR: header.spiR, opened });
}

function receiveRequest(now: Instant, sa: IkeSa, header: ReceivedHeader, message: Uint8Array, path: UdpPath): void {
  const name = exchangeName(header.exchange);
  if (name === undefined || name === 'IKE_SA_INIT') throw new DecodeError(`Exchange Type ${header.exchange}`);
  if (header.messageId !== sa.expectedId) {
    const reply = header.messageId === sa.expectedId - 1 ? sa.replies.repeat(message) : undefined;
    if (reply === undefined) sa.host.counters.wrongMessageId += 1;
    else {
      sa.host.counters.duplicate += 1;
      sa.transmit(reply, false, path);
    }
    return;
  }
  // Our own IKE_AUTH comes first, and theirs makes the SA: what belongs to neither waits for its retransmission.
  if (sa.state.name === 'initiating' || sa.state.name === 'gone' || !isDue(sa, name)) return;
  if (peekFragment(message)?.number === 1) sa.firstFragment = message;
  const opened = open(now, sa, header, message);
  if (opened === undefined) return;
  heard(now, sa, path);
  if (sa.state.name === 'half-open') sa.path = path;
  // One request at a time: whoever sends the next has got the answer to the last.
  for (const child of sa.children.values()) child.confirmed = true;
  const key = peekFragment(message) === undefined ? message : (sa.firstFragment ?? message);
  sa.firstFragment = undefined;
  const { answer, afterwards } = answerOpened(now, sa, name, opened, path);
  const reply = sa.seal(name, header.messageId, answer, true);
  afterwards?.();
  sa.expectedId += 1;
  sa.replies.put(key, reply);
  sa.transmit(reply, false, path);
}

/** What makes an SA comes in its order, and nothing else before it stands. */
function isDue(sa: IkeSa, name: ExchangeName): boolean {
  const making = name === 'IKE_AUTH' || name === 'IKE_INTERMEDIATE';
  if (sa.state.name !== 'half-open') return !making;
  // A caller by EAP has had this side's proof before the SA stands, and may not believe it.
  if (sa.eap !== undefined && name === 'INFORMATIONAL') return true;
  return name === (pendingExchange(sa) === undefined ? 'IKE_AUTH' : 'IKE_INTERMEDIATE');
}

/** Verifies and decrypts; `undefined` when it does not verify or a fragment is still missing. */
function open(now: Instant, sa: IkeSa, header: ReceivedHeader, message: Uint8Array) {
  const parts = header.response ? sa.responseParts : sa.requestParts;
  const fragment = peekFragment(message);
  if (fragment !== undefined && !parts.wants(now, header.messageId, fragment)) return undefined;
  const opened = sa.protection?.open(message);
  if (opened === undefined) {
    sa.host.counters.badIntegrity += 1;
    return undefined;
  }
  return parts.add(now, header.messageId, opened);
}

/** A fresh message that verifies: the peer lives. With MOBIKE it says itself where it is (RFC 4555 section 3.8). */
function heard(now: Instant, sa: IkeSa, path: UdpPath): void {
  sa.heardAt = Math.max(sa.heardAt, now);
  if (!sa.mobility.agreed) follow(sa, path);
}

/** Where something fresh and authentic came from is where a peer behind a NAT is (section 2.23). */
export function follow(sa: IkeSa, path: UdpPath): void {
  if (!sa.established || !sa.nat.remote || sameEndpoint(sa.path.remote, path.remote)) return;
  sa.path = { ...sa.path, remote: path.remote };
  sa.host.emit({ kind: 'path', ikeId: sa.id, path: sa.path });
}

/** Payloads of a response, and what is to be done once it is sealed. */
interface Answer {
  readonly answer: readonly Payload[];
  readonly afterwards?: () => void;
}

function answerOpened(now: Instant, sa: IkeSa, name: ExchangeName, opened: OpenedContent, path: UdpPath): Answer {
  try {
    const { payloads, unsupportedCritical } = decodeChain(opened.firstType, opened.content);
    sa.trace('received', name, false, payloads);
    if (unsupportedCritical !== undefined) {
      return { answer: [notify('UNSUPPORTED_CRITICAL_PAYLOAD', Uint8Array.of(unsupportedCritical))] };
    }
    if (name === 'IKE_INTERMEDIATE') return answerIntermediate(sa, payloads, opened);
    return { answer: answerRequest(now, sa, name, payloads, path) };
  } catch (error) {
    // Fatal to both sides (section 2.21.3).
    if (!(error instanceof DecodeError)) throw error;
    const failure = malformed(name, 'a malformed request');
    if (!sa.announced) sa.host.refused(now, sa.connection, failure, sa.id);
    sa.end(now, failure);
    return { answer: [notify('INVALID_SYNTAX')] };
  }
}

function answerRequest(
  now: Instant,
  sa: IkeSa,
  name: ExchangeName,
  payloads: readonly Payload[],
  path: UdpPath,
): readonly Payload[] {
  const { state } = sa;
  if (state.name === 'half-open') {
    return name === 'INFORMATIONAL' ? brokenOff(now, sa, payloads) : answerAuth(now, sa, state.init, payloads);
  }
  // Whoever uses it believes in it; only the DELETE of a redundant one says otherwise.
  if (state.name === 'undecided' && !deletesIkeSa(payloads) && state.of.established) adopt(now, state.of, sa);
  if (name === 'INFORMATIONAL') return answerInformational(now, sa, payloads, path);
  if (name === 'IKE_FOLLOWUP_KE') return answerFollowUp(now, sa, payloads);
  if (sa.ended || !sa.asked.allows(now)) return [notify('TEMPORARY_FAILURE')];
  const rekeysIke =
    findNotify(payloads, 'REKEY_SA') === undefined &&
    findAll(payloads, 'SA').some(({ proposals }) => proposals.some(({ protocol }) => protocol === PROTOCOL.ike)) &&
    find(payloads, 'TSi') === undefined;
  return rekeysIke ? answerRekeyIke(now, sa, payloads) : answerCreateChild(now, sa, payloads);
}
