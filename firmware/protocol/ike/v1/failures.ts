/** Why an ISAKMP SA or a child SA ended or never came up, for a person: one function for each way to fail. */
import type { Failure } from '../../machine.ts';
import { printable } from '../../printable.ts';
import { formatEndpoint, type UdpEndpoint } from '../../udp-path.ts';
import { type CertificateFlaw, type CertificateRefusal, ownCertificateRefused } from '../certificate-refusal.ts';
import { identityText } from '../identity.ts';
import type { IkeConnection, IkeIdentity, TrafficSelector } from '../ike-types.ts';
import { methodWords } from './authentication-method.ts';
import { NotifyType, notifyName } from './numbers.ts';
import { ANSWER_SECONDS } from './retransmit.ts';

const SAME_KEY = 'set the same pre-shared key on both ends';
const DIAL_AGAIN = 'nothing to repair here; the connection can be set up again';

/** What the socket's error names mean. */
const PATH_ERRORS: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection refused (nothing listens on that port)'],
  ['EHOSTUNREACH', 'host unreachable'],
  ['ENETUNREACH', 'network unreachable'],
  ['EHOSTDOWN', 'host down'],
  ['EACCES', 'sending was forbidden'],
  ['EPERM', 'sending was forbidden'],
]);

/** What is known besides silence: an error of the network, notifications that anybody may have sent. */
export interface Clues {
  readonly pathError?: string;
  /** Notify Message Type. */
  readonly notify?: number;
  /** What a Culvert says is wrong with the certificate of this side, encrypted. */
  readonly flaw?: CertificateFlaw;
  /** An encrypted Informational came where there is no key for it yet: a refusal, most likely. */
  readonly unreadable?: true;
}

function cluesText({ pathError, notify, unreadable }: Clues): string {
  const network =
    pathError === undefined ? '' : `; the network reported: ${PATH_ERRORS.get(pathError) ?? printable(pathError)}`;
  const hint = notify === undefined ? '' : `; an unauthenticated ${notifyName(notify)} came instead`;
  const refusal = unreadable === undefined ? '' : '; it answered with a notification that cannot be read';
  return network + hint + refusal;
}

/** Somebody who only says no in clear may be anybody; but where nothing better comes, it is the best there is. */
function causeOf({ notify, unreadable }: Clues): NonNullable<Failure['cause']> {
  if (notify === NotifyType.noProposalChosen) return 'no-proposal';
  return notify === undefined && unreadable === undefined ? 'silence' : 'refused';
}

/** No answer to message 1. @param step `Main Mode 1` or `Aggressive Mode 1`. */
export function noAnswer(step: string, remote: UdpEndpoint, clues: Clues): Failure {
  return {
    step,
    reason: `${formatEndpoint(remote)} did not answer within ${ANSWER_SECONDS} s${cluesText(clues)}`,
    remedy: `check that address, that UDP port ${remote.port} is open, and that the peer speaks IKEv1 (${step.slice(0, -2)})`,
    cause: causeOf(clues),
  };
}

/** No answer to message 3: the peer is there, but longer messages or this one do not reach it. */
export function noAnswerToKeyExchange(remote: UdpEndpoint, clues: Clues): Failure {
  return {
    step: 'Main Mode 3',
    reason: `${formatEndpoint(remote)} answered the proposal but not the key exchange${cluesText(clues)}`,
    remedy: 'check that larger datagrams reach the peer, and the log of the peer',
    cause: causeOf(clues),
  };
}

/** What a side may have against the proof of the other. */
const DOUBTS = {
  psk: { doubt: 'probably its pre-shared key is another one', remedy: SAME_KEY },
  certificate: {
    doubt: 'probably it does not believe the certificate of this side',
    remedy: 'let the peer believe the authority that issued the certificate here, and read its log',
  },
} as const;

/**
 * The message that proves who this side is was not taken. @param step `Main Mode 5` or `Aggressive Mode 3`.
 * @param floated it went to port 4500. @param kind how this side proved itself.
 */
export function noAnswerToAuthentication(
  step: string,
  remote: UdpEndpoint,
  kind: keyof typeof DOUBTS,
  floated: boolean,
  clues: Clues,
): Failure {
  const end = formatEndpoint(remote);
  const silent = clues.notify === undefined && clues.unreadable === undefined;
  const guess = silent && floated ? ', or UDP port 4500 is blocked' : '';
  const identity = 'check the identity that the peer expects';
  const { doubt, remedy } = DOUBTS[kind];
  return {
    step,
    reason: `${end} does not accept message ${step.slice(-1)}: ${doubt}${guess}${cluesText(clues)}`,
    remedy: guess ? `${remedy}, ${identity}, and let UDP port 4500 pass` : `${remedy}, and ${identity}`,
    cause: causeOf(clues),
  };
}

/** The peer's certificate is good, and the signature is not by its key. */
export function wrongSignature(step: string, identity: IkeIdentity): CertificateRefusal {
  return {
    flaw: 'signature',
    step,
    reason: `the signature of ${identityText(identity)} is not by the key of its certificate`,
    remedy: 'check that the peer has the private key of that certificate; else somebody pretends to be the peer',
    cause: 'refused',
  };
}

/** The peer signed, and sent no certificate to verify it with. */
export function noCertificate(step: string, identity: IkeIdentity): Failure {
  return {
    step,
    reason: `${identityText(identity)} sent no certificate (X.509) with its signature`,
    remedy: 'let the peer send its certificate always, not only when it is asked in a way that it knows',
    cause: 'refused',
  };
}

/** As responder: the peer wants to prove itself in another way than any connection here. @param offered Authentication Methods. */
export function otherMethod(step: string, offered: readonly number[], acceptable: readonly number[]): Failure {
  const list = (methods: readonly number[]): string => methods.slice(0, 4).map(methodWords).join(' or ');
  return {
    step,
    reason: `the peer wants to authenticate by ${list(offered)}, and here it is by ${list(acceptable)}`,
    remedy: 'set both ends to the same: a pre-shared key, or certificates',
    cause: 'no-proposal',
  };
}

/** The peer's proof came, but is not of somebody who knows the key. @param step `Main Mode 6` or `Aggressive Mode 2`. */
export function answerNotVerified(step: string, remote: UdpEndpoint): Failure {
  return {
    step,
    reason: `the answer of ${formatEndpoint(remote)} cannot be verified: its pre-shared key is another one`,
    remedy: SAME_KEY,
    cause: 'refused',
  };
}

/** As initiator: the peer knows the key but is not who it should be. */
export function wrongIdentity(step: string, seen: IkeIdentity, wanted: IkeIdentity): Failure {
  return {
    step,
    reason: `the peer calls itself ${identityText(seen)}, and ${identityText(wanted)} is wanted`,
    remedy: 'correct the remote identity here or the local identity there',
    cause: 'refused',
  };
}

/** As responder, by signature: message 5 makes no sense. */
export function unreadableProof(remote: UdpEndpoint): Failure {
  return {
    step: 'Main Mode 5',
    reason: `message 5 of ${formatEndpoint(remote)} cannot be read as one that holds an identity with a signature`,
    remedy: 'read the log of the peer; where there is nothing in it, somebody meddles with the exchange',
    cause: 'refused',
  };
}

/** As responder: no candidate key fits message 5. */
export function wrongKey(remote: UdpEndpoint, tried: number): Failure {
  const keys = tried === 1 ? 'the pre-shared key here' : `any of the ${tried} pre-shared keys that may be meant`;
  return {
    step: 'Main Mode 5',
    reason: `message 5 of ${formatEndpoint(remote)} does not decrypt or verify with ${keys}`,
    remedy: SAME_KEY,
    cause: 'refused',
  };
}

/** As responder in Aggressive Mode: message 3 does not prove who message 1 spoke of. */
export function wrongKeyOf(step: string, identity: IkeIdentity): Failure {
  return {
    step,
    reason: `the message of ${identityText(identity)} does not decrypt or verify: its pre-shared key is another one`,
    remedy: SAME_KEY,
    cause: 'refused',
  };
}

/** As responder in Aggressive Mode: the caller gave up with a word, which anybody may have sent. */
export function disbelievedByCaller(remote: UdpEndpoint): Failure {
  return {
    step: 'Aggressive Mode 2',
    reason: `${formatEndpoint(remote)} does not believe who this side is (unauthenticated AUTHENTICATION-FAILED)`,
    remedy: 'compare the pre-shared keys, or the certificates and authorities, and the identities of both ends',
    cause: 'refused',
  };
}

/** As responder in Aggressive Mode: no connection is for whoever calls. */
export function unknownCaller(identity: IkeIdentity): Failure {
  return {
    step: 'Aggressive Mode 1',
    reason: `the caller calls itself ${identityText(identity)}, and no connection with Aggressive Mode is for that identity`,
    remedy: 'correct the remote identity here or the local identity there',
    cause: 'refused',
  };
}

/**
 * As responder: the peer does not take this side's proof, or its identity. It had proved before who it is.
 * @param flaw what it says is wrong with the certificate here.
 */
export function proofRefused(
  { authentication }: Pick<IkeConnection, 'authentication'>,
  localId: IkeIdentity,
  flaw: CertificateFlaw | undefined,
): Failure {
  if (flaw !== undefined && authentication.kind === 'certificate') {
    return ownCertificateRefused('Main Mode 6', localId, authentication.credential, flaw, true);
  }
  return {
    step: 'Main Mode 6',
    reason: 'the peer does not believe who this side is (AUTHENTICATION-FAILED)',
    remedy:
      'read the log of the peer, which alone says why: the identity that it wants, and what it finds wrong with a certificate',
    cause: 'refused',
  };
}

/** As responder: nothing is configured for whoever asks. */
export function noConnection(remote: UdpEndpoint): Failure {
  return {
    step: 'Main Mode 1',
    reason: `${formatEndpoint(remote)} asks for IKEv1, and no connection is configured for that address`,
    remedy: "add a connection for that peer, or one whose remote is 'any'",
    cause: 'refused',
  };
}

/** The first Quick Mode was not answered. */
export function noAnswerToQuickMode(remote: UdpEndpoint, clues: Clues): Failure {
  return {
    step: 'Quick Mode',
    reason: `${formatEndpoint(remote)} did not answer the Quick Mode within ${ANSWER_SECONDS} s${cluesText(clues)}`,
    remedy: 'check the ESP proposals and traffic selectors on both ends, and the log of the peer',
    cause: causeOf(clues),
  };
}

/** The peer refused a Quick Mode, authenticated. */
export function quickModeRefused(type: number): Failure {
  const remedies: ReadonlyMap<number, string> = new Map([
    [18, 'make the traffic selectors (networks, protocol and ports) of both ends mirror each other'],
    [17, 'set the same group for perfect forward secrecy on both ends'],
  ]);
  return {
    step: 'Quick Mode',
    reason: `the peer refused the child SA: ${notifyName(type)}`,
    remedy: remedies.get(type) ?? 'compare the ESP settings of both ends, and read the log of the peer',
    cause: type === NotifyType.noProposalChosen ? 'no-proposal' : 'refused',
  };
}

/** The peer's answer to a Quick Mode is not what was asked for. */
export function quickModeAnswer(reason: string): Failure {
  return { step: 'Quick Mode 2', reason, remedy: 'compare the ESP settings and traffic selectors of both ends' };
}

/** As responder: what the peer wants to send is not what is configured. */
export function selectorsRefused(
  local: readonly TrafficSelector[],
  remote: readonly TrafficSelector[],
  asked: string,
): Failure {
  const list = (selectors: readonly TrafficSelector[]): string => selectors.slice(0, 8).map(selectorText).join(', ');
  return {
    step: 'Quick Mode 1',
    reason: `the peer asked for ${asked}; configured is ${list(local)} with ${list(remote)}`,
    remedy: 'make the traffic selectors (networks, protocol and ports) of both ends mirror each other',
    cause: 'refused',
  };
}

/** As responder: the encapsulation mode does not fit. */
export function modeRefused(mode: 'transport' | 'tunnel', what: 'ESP' | 'AH', encapsulate: boolean): Failure {
  const udp = encapsulate ? ', encapsulated in UDP' : '';
  return {
    step: 'Quick Mode 1',
    reason: `the peer did not offer ${what} in ${mode} mode${udp}`,
    remedy: `set the peer to ${mode} mode${encapsulate ? ' and switch on its NAT traversal' : ''}`,
    cause: 'refused',
  };
}

/** As responder: a Quick Mode that makes no sense. */
export function quickModeMalformed(reason: string): Failure {
  return { step: 'Quick Mode 1', reason, remedy: 'compare the ESP settings of both ends' };
}

/** `10.0.0.0-10.0.0.255`, with protocol and port where there are any. */
export function selectorText(selector: TrafficSelector): string {
  const { firstAddress, lastAddress, protocol, firstPort, lastPort } = selector;
  const range = firstAddress === lastAddress ? firstAddress : `${firstAddress}-${lastAddress}`;
  const port = firstPort === lastPort ? `/${firstPort}` : '';
  return protocol === 0 && port === '' ? range : `${range} protocol ${protocol}${port}`;
}

/** R-U-THERE was not answered. @param seconds of silence. */
export function peerSilent(remote: UdpEndpoint, seconds: number): Failure {
  return {
    step: 'DPD',
    reason: `nothing came from ${formatEndpoint(remote)} for ${seconds} s, though it was asked (R-U-THERE)`,
    remedy: 'check the path to the peer and whether it is running; the connection can be set up again when it answers',
    cause: 'silence',
  };
}

/** The peer deleted the ISAKMP SA. */
export function deletedByPeer(): Failure {
  return { step: 'DELETE', reason: 'the peer deleted the ISAKMP SA', remedy: DIAL_AGAIN };
}

/** As {@link deletedByPeer}, and there never was a child SA: the peer does not like something about this side. */
export function deletedUnused(): Failure {
  return {
    step: 'DELETE',
    reason: 'the peer deleted the ISAKMP SA at once, before there was a child SA',
    remedy: 'compare the identity here with the one that the peer expects, and read the log of the peer',
    cause: 'refused',
  };
}

/** INITIAL-CONTACT: the peer has started again and remembers nothing. */
export function peerRestarted(): Failure {
  return {
    step: 'INITIAL-CONTACT',
    reason: 'the peer has started again and has another ISAKMP SA now',
    remedy: 'nothing to repair here; the new SA is in use',
  };
}

/** This side wanted it so. */
export function closedHere(): Failure {
  return { step: 'close', reason: 'closed by this side', remedy: 'nothing to repair here' };
}

/** Lifetime over, and no successor. */
export function expired(what: 'ISAKMP SA' | 'child SA', last: Failure | undefined): Failure {
  const why = last === undefined ? '' : ` (${last.reason})`;
  return {
    step: 'rekey',
    reason: `the ${what} reached the end of its lifetime, and no new one could be negotiated${why}`,
    remedy: last?.remedy ?? 'set the connection up again',
    ...(last?.cause === undefined ? {} : { cause: last.cause }),
  };
}

/** A caller has an ISAKMP SA, and never asked for a child SA. */
export function childNeverWanted(): Failure {
  return {
    step: 'Quick Mode 1',
    reason: 'the peer asked for no child SA',
    remedy: 'read the log of the peer; it may be that it does not accept the answer of this side',
  };
}

/** All child SAs of a connection are gone. */
export function noChildLeft(): Failure {
  return {
    step: 'Quick Mode',
    reason: 'the peer ended the last child SA and made no new one',
    remedy: DIAL_AGAIN,
  };
}
