/** From a message under an ISAKMP SA to what it is about. */
import type { Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import type { CertificateFlaw } from '../certificate-refusal.ts';
import { proofRefused } from './failures.ts';
import type { ReceivedMessage } from './header.ts';
import { dpdPayload, errorPayload, handleInformational } from './informational.ts';
import type { IsakmpSa } from './isakmp-sa.ts';
import { followed } from './natd.ts';
import { ExchangeType, NotifyType } from './numbers.ts';
import { hasInitialContact, localIdentity } from './phase1.ts';
import { type OpenedFirst, openFirst } from './phase2-message.ts';
import { answerQuickMode } from './quick-mode-responder.ts';

/** @throws DecodeError when the message is malformed or encrypted with another key. */
export function dispatch(now: Instant, isakmp: IsakmpSa, message: ReceivedMessage, path: UdpPath): void {
  const { sa, counters, quickModes } = isakmp;
  const { messageId, exchangeType } = message.header;
  const seen = sa.replay.recognize(messageId, message.octets);
  if (seen.kind === 'repeated') {
    counters.duplicate += 1;
    if (seen.reply !== undefined) replyAgain(isakmp, seen.reply, path);
    return;
  }
  if (exchangeType === ExchangeType.transaction) transaction(now, isakmp, message, path);
  else if (quickModes.has(messageId) && exchangeType === ExchangeType.quickMode) {
    if (!quickModes.receive(now, message)) counters.authenticationFailed += 1;
    else {
      isakmp.genuine(now, messageId, path);
      quickModes.settle(now, messageId);
    }
  } else if (messageId === 0 || isakmp.isUsed(messageId)) {
    // Among them what Windows says behind its Quick Modes: CONNECTED under the same message id.
    counters.unexpected += 1;
  } else if (exchangeType === ExchangeType.quickMode) quickMode(now, isakmp, message, path);
  else informational(now, isakmp, message, path);
}

/**
 * A repeated message proves nothing about where its sender is, but a NAT may have given him another port while his
 * exchange is under way: then the answer that he waits for goes there.
 */
function replyAgain({ sa, path: known, host, ikeId }: IsakmpSa, reply: Uint8Array, seen: UdpPath): void {
  const samePlace = seen.remote.address === known.remote.address;
  const path = samePlace ? (followed(known, seen, sa.nat) ?? known) : known;
  host.outbox.send(ikeId, 'reply again', reply, path, sa.vendor.fragmentation);
}

function transaction(now: Instant, isakmp: IsakmpSa, message: ReceivedMessage, path: UdpPath): void {
  const { side, counters } = isakmp;
  const { messageId } = message.header;
  if (!side.expects(messageId)) counters.unexpected += 1;
  else if (!side.receive(now, message)) counters.authenticationFailed += 1;
  else {
    isakmp.genuine(now, messageId, path);
    isakmp.settleSide(now);
    isakmp.narrow();
  }
}

/** What comes before a login is good is not taken in: the peer repeats it. */
function quickMode(now: Instant, isakmp: IsakmpSa, message: ReceivedMessage, path: UdpPath): void {
  const { side, quickModes, host } = isakmp;
  const mayAsk = isakmp.admitted || side.granted;
  if (!mayAsk || !quickModes.hasRoom(now, host.limits)) {
    isakmp.counters.unexpected += 1;
    return;
  }
  const opened = first(now, isakmp, message, path);
  if (opened === undefined) return;
  side.acknowledge();
  isakmp.settleSide(now);
  isakmp.received('Quick Mode 1');
  const { messages, payloads } = opened;
  if (hasInitialContact(payloads)) host.initialContact(now, isakmp);
  const answer = answerQuickMode(now, isakmp, messages, message, payloads);
  if ('notify' in answer) {
    isakmp.lastFailure = answer.failure;
    isakmp.received('Quick Mode 1', answer.failure.reason);
    const reply = isakmp.inform([errorPayload(isakmp.sa, answer.notify)], answer.failure.step);
    isakmp.remember(messages.messageId, message.octets, reply);
    return;
  }
  quickModes.add(now, messages.messageId, answer);
}

function informational(now: Instant, isakmp: IsakmpSa, message: ReceivedMessage, path: UdpPath): void {
  const opened = first(now, isakmp, message, path);
  if (opened === undefined) return;
  const { messageId } = opened.messages;
  isakmp.remember(messageId, message.octets);
  const { sa, owner, host, quickModes } = isakmp;
  const effects = {
    received: (detail: string) => isakmp.received('Informational', detail),
    childDeleted: (spi: number) => {
      const record = host.children.byDeletedSpi(owner.ikeId, spi);
      if (record !== undefined) host.children.remove(now, record.child.id);
      owner.watchChildren(now);
    },
    isakmpDeleted: (key: string) => host.deletedByPeer(now, isakmp, key),
    over: () => isakmp.ended !== undefined,
    initialContact: () => {
      if (isakmp.admitted) host.initialContact(now, isakmp);
      // Who says so is not known yet.
      else isakmp.sa = { ...isakmp.sa, initialContact: true };
    },
    areYouThere: (sequence: number) => {
      const reply = isakmp.inform([dpdPayload(sa, NotifyType.rUThereAck, sequence)], 'R-U-THERE-ACK');
      isakmp.remember(messageId, message.octets, reply);
    },
    hereIAm: (sequence: number) => isakmp.dpd.isAnswer(sequence),
    shorten: (seconds: number) => isakmp.shorten(now, seconds),
    disbelieved: (flaw: CertificateFlaw | undefined) => {
      const { connection } = sa;
      isakmp.lastFailure = proofRefused(connection, localIdentity(connection, isakmp.path), flaw);
    },
    refused: (type: number, spi: number | undefined) => quickModes.refused(now, type, spi),
  };
  handleInformational(sa, opened.payloads, effects);
}

/** The first message of an exchange that the peer begins; `undefined` when it is not genuine. */
function first(now: Instant, isakmp: IsakmpSa, message: ReceivedMessage, path: UdpPath): OpenedFirst | undefined {
  const opened = openFirst(isakmp.sa, message);
  if (opened === undefined) isakmp.counters.authenticationFailed += 1;
  else isakmp.genuine(now, message.header.messageId, path);
  return opened;
}
