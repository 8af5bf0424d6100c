/** Failures as the protocols and the router make them, and which of the known ones they are. */

import { checkAssignment } from '../../../firmware/network/assignment-check.ts';
import { ownCertificateRefused } from '../../../firmware/protocol/ike/certificate-refusal.ts';
import { addressNotRequested, noPool, poolExhausted } from '../../../firmware/protocol/ike/lease-failures.ts';
import { ahThroughNat } from '../../../firmware/protocol/ike/nat.ts';
import { espOfferRefused, ikeOfferRefused } from '../../../firmware/protocol/ike/no-proposal.ts';
import * as v1 from '../../../firmware/protocol/ike/v1/failures.ts';
import * as login from '../../../firmware/protocol/ike/v1/login-failures.ts';
import * as v2Auth from '../../../firmware/protocol/ike/v2/auth-failures.ts';
import * as v2 from '../../../firmware/protocol/ike/v2/failures.ts';
import * as l2tp from '../../../firmware/protocol/l2tp/failures.ts';
import type { Failure } from '../../../firmware/protocol/machine.ts';
import { refusedFailure, unprovedFailure } from '../../../firmware/protocol/ppp/authentication.ts';
import { Ipcp } from '../../../firmware/protocol/ppp/ipcp.ts';
import { Ipv6cp } from '../../../firmware/protocol/ppp/ipv6cp.ts';
import { loopFailure } from '../../../firmware/protocol/ppp/lcp-policy.ts';
import {
  authenticationRejected,
  neverAuthenticated,
  terminatedAfterCcp,
  terminatedWhileAuthenticating,
} from '../../../firmware/protocol/ppp/link-failures.ts';
import { explainFailure } from '../../../firmware/protocol/ppp/mschapv2.ts';
import { PPP_EAP } from '../../../firmware/protocol/ppp/protocol-numbers.ts';
import * as ipsec from '../../../firmware/vpn/ipsec/ipsec-failures.ts';
import * as client from '../../../firmware/vpn/l2tp/client-failures.ts';
import { internalFailure } from '../../../firmware/vpn/steps.ts';
import { credentialOf, FakeTrust } from '../protocol/ike/fake-certificates.ts';
import { CERTIFICATE_CASES } from './certificate-cases.ts';

const PEER = { address: '10.20.0.2', port: 1701 };
const IKE = { address: '10.20.0.2', port: 500 };
const PATH = { remote: IKE, local: { address: '10.20.0.9', port: 500 } };
const NAT_T_PATH = { remote: { ...IKE, port: 4500 }, local: { address: '10.20.0.9', port: 4500 } };
const ID = { kind: 'fqdn', value: 'srv.lab' } as const;
const OTHER_ID = { kind: 'fqdn', value: 'other.lab' } as const;
const CREDENTIAL = credentialOf(ID, 'p256');
const SIGNED = { authentication: { kind: 'certificate', credential: CREDENTIAL, trust: new FakeTrust() } } as const;
const USER = Buffer.from('alice');

const stopped = (resultCode: number, errorCode?: number): Failure =>
  l2tp.peerStopped('wait-reply', PEER, errorCode === undefined ? { resultCode } : { resultCode, errorCode }, false);
const disconnected = (resultCode: number, errorCode?: number): Failure =>
  l2tp.peerDisconnected(PEER, errorCode === undefined ? { resultCode } : { resultCode, errorCode }, 'ICRQ');
const mschap = (code: number): Failure =>
  explainFailure('alice', Buffer.from(`E=${code} R=0 C=${'0'.repeat(32)} V=3 M=no`));
/** Words of machines that make them in their own insides; their tests hold them, too. */
const told = (step: string, reason: string): Failure => ({ step, reason, remedy: 'as the machine says' });
const assigned = checkAssignment({ address: '192.168.12.7', dns: [] }, [
  { what: 'the network of interface "lan"', zone: 'lan', prefix: '192.168.12.0/24' },
]);

export const FAILURE_CASES: readonly (readonly [string, Failure])[] = [
  ['configuration-incomplete', ipsec.noSuchConnection('hq')],
  ['configuration-incomplete', ipsec.waitsForCallers('hq')],
  ['already-dialled', ipsec.alreadyDialled('hq', '10.20.0.2')],
  ['port-taken', ipsec.noSockets('The UDP socket for 0.0.0.0 port 500 cannot be bound (EADDRINUSE). charon has it')],
  ['no-route', ipsec.noRoute('10.20.0.2')],
  ['no-route', l2tp.noAnswerToSccrq(PEER, 8, 'ENETUNREACH')],
  ['host-unreachable', l2tp.noAnswerToSccrq(PEER, 8, 'EHOSTUNREACH')],
  ['host-unreachable', v2.unreachablePeer(PATH, 'EHOSTUNREACH')],
  ['prohibited', l2tp.noAnswerToSccrq(PEER, 8, 'EACCES')],
  ['name-unknown', client.noAddress('hq.example')],
  ['name-unknown', told('resolve', 'the name hq.example does not exist, says the DNS server 10.20.0.1')],
  ['dns-silent', told('resolve', 'no DNS server answered for hq.example (asked 10.20.0.1, 3 times each)')],
  ['dns-refuses', told('resolve', 'the DNS server 10.20.0.1 answered SERVFAIL for hq.example')],
  ['dns-unset', told('resolve', 'no DNS server is known to ask for hq.example')],
  ['ike-refused-port', v2.unreachablePeer(PATH, 'ECONNREFUSED')],
  ['ike-refused-port', v1.noAnswer('Main Mode 1', IKE, { pathError: 'ECONNREFUSED' })],
  ['ike-no-proposal', v1.noAnswer('Main Mode 1', IKE, { notify: 14 })],
  ['ike-no-proposal', ikeOfferRefused('IKE_SA_INIT', [])],
  ['ike-version', v1.noAnswer('Main Mode 1', IKE, { notify: 5 })],
  ['ike-no-connection', v1.noConnection(IKE)],
  ['port-500-blocked', v1.noAnswer('Main Mode 1', IKE, {})],
  ['port-500-blocked', v2.silentPeer(PATH, 'IKE_SA_INIT')],
  ['ike-large-lost', v1.noAnswerToKeyExchange(IKE, {})],
  ['psk-wrong-v1', v1.noAnswerToAuthentication('Main Mode 5', IKE, 'psk', false, {})],
  ['psk-wrong-v1', v1.answerNotVerified('Main Mode 6', IKE)],
  ['psk-wrong-v1', v1.answerNotVerified('Aggressive Mode 2', IKE)],
  ['psk-wrong-v1', v1.wrongKeyOf('Aggressive Mode 3', ID)],
  ['psk-wrong-v1', v1.wrongKey(IKE, 1)],
  ['identity-wrong', v1.unknownCaller(ID)],
  ['ike-deleted-unused', v1.disbelievedByCaller(IKE)],
  ['port-4500-blocked', v2.silentPeer(NAT_T_PATH, 'IKE_AUTH')],
  ['ike-auth-silent', v2.silentPeer(PATH, 'IKE_AUTH')],
  ['ike-auth-silent', v2.callerVanished(PATH)],
  ['psk-wrong-v2', v2Auth.refusedUnexplained(ID, 'psk')],
  ['psk-of-peer-wrong', v2Auth.wrongPsk(ID)],
  ['identity-wrong', v1.wrongIdentity('Main Mode 6', ID, OTHER_ID)],
  ['identity-wrong', v2Auth.wrongIdentity(ID, [OTHER_ID])],
  ['certificate-wanted', v2Auth.wrongAuthMethod('a certificate', 'psk')],
  ['certificate-wanted', v1.otherMethod('Main Mode 1', [3], [1])],
  ...CERTIFICATE_CASES,
  ['certificate-disbelieved', v1.noAnswerToAuthentication('Aggressive Mode 3', IKE, 'certificate', false, {})],
  ['signature-unproved', v1.wrongSignature('Main Mode 6', ID)],
  ['signature-unproved', v1.noCertificate('Main Mode 5', ID)],
  ['signature-unproved', v1.unreadableProof(IKE)],
  ['xauth-refused', login.loginRefused('bob', '')],
  ['xauth-refused', login.loginNotConfigured('who?')],
  ['xauth-refused', login.loginUnsupported('a new PIN', '')],
  ['xauth-silent', login.loginNeverAsked(IKE)],
  ['xauth-silent', login.loginUnanswered(IKE)],
  ['user-refused', login.userRefused(Buffer.from('bob'))],
  ['user-refused', login.loginMissing()],
  ['user-refused', login.tooManyWrong(Buffer.from('bob'), '10.20.0.9')],
  ['user-refused', login.hungUpBeforeLogin()],
  ['user-refused', v2Auth.unprovedUser(Buffer.from('bob'))],
  ['user-silent', login.loginNotGiven(IKE)],
  ['user-silent', login.verdictUnheard('bob', IKE)],
  ['mode-config-failed', noPool()],
  ['mode-config-failed', poolExhausted('Mode-Config')],
  ['mode-config-failed', addressNotRequested('Mode-Config')],
  ['mode-config-failed', login.noAnswerToModeConfig(IKE)],
  ['mode-config-failed', login.noAddress(IKE)],
  ['mode-config-failed', ipsec.noIpv4Address()],
  ['mode-config-failed', login.addressChanged('10.99.0.7', '10.99.0.8')],
  ['ike-deleted-unused', v1.deletedUnused()],
  ['ike-deleted-unused', v1.proofRefused(SIGNED, ID, undefined)],
  ['own-certificate-refused', v1.proofRefused(SIGNED, ID, 'expired')],
  ['own-certificate-refused', ownCertificateRefused('authentication', ID, CREDENTIAL, 'revoked', false)],
  ['esp-no-proposal', espOfferRefused('Quick Mode', [])],
  ['esp-no-proposal', v1.quickModeRefused(14)],
  ['mode-wrong', v2.modeMismatch('transport')],
  ['mode-wrong', v1.modeRefused('tunnel', 'ESP', false)],
  ['mode-wrong', v1.modeRefused('tunnel', 'AH', false)],
  ['ah-through-nat', ahThroughNat('IKE_SA_INIT', { local: true, remote: false })],
  ['ah-through-nat', ahThroughNat('Quick Mode 1', { local: false, remote: true })],
  ['selectors-refused', v1.quickModeRefused(18)],
  ['selectors-refused', v2.selectorsUnacceptable([], [])],
  ['child-refused', v1.quickModeRefused(17)],
  ['child-refused', ipsec.nobodyServes('branches')],
  ['network-taken', ipsec.networkTaken('two.example', '10.1.0.0/24', 'one.example')],
  ['child-silent', v1.noAnswerToQuickMode(IKE, {})],
  ['child-silent', v1.childNeverWanted()],
  ['esp-blocked', client.muteChannel('10.20.0.2', false)],
  ['esp-in-udp-mute', client.muteChannel('10.20.0.2', true)],
  ['dpd-dead', v1.peerSilent(IKE, 30)],
  ['dpd-dead', v2.silentPeer(PATH, 'INFORMATIONAL')],
  ['ike-peer-restarted', v1.peerRestarted()],
  ['ike-peer-restarted', v2.peerRestarted()],
  ['rekey-failed', v1.expired('child SA', undefined)],
  ['rekey-failed', v2.lifetimeOver('IKE')],
  ['child-closed', v1.noChildLeft()],
  ['child-closed', v2.closedByPeer()],
  ['l2tp-port-closed', l2tp.noAnswerToSccrq(PEER, 8, 'ECONNREFUSED')],
  ['l2tp-silent', l2tp.noAnswerToSccrq(PEER, 8, undefined)],
  ['l2tp-answers-lost', l2tp.noScccn(PEER)],
  ['l2tp-no-sccrp', l2tp.noSccrp(PEER, 8)],
  ['tunnel-secret-wrong', l2tp.wrongSecret('SCCRQ', PEER, false)],
  ['tunnel-secret-wrong', l2tp.scccnIgnored(PEER, true)],
  ['tunnel-secret-missing-there', l2tp.wrongSecret('SCCRQ', PEER, true)],
  ['tunnel-secret-missing-here', l2tp.secretMissing('SCCRQ', PEER)],
  ['stop-already-exists', stopped(3)],
  ['stop-not-authorized', stopped(4)],
  ['stop-version', stopped(5, 0x0100)],
  ['stop-version', l2tp.wrongVersion('SCCRQ', PEER, 2)],
  ['stop-shutting-down', stopped(6)],
  ['stop-state-machine', stopped(7)],
  ['tunnel-limit', stopped(2, 4)],
  ['stop-unknown-avp', stopped(2, 8)],
  ['stop-try-another', stopped(2, 7)],
  ['stop-general-error', stopped(2, 6)],
  ['tie-lost', l2tp.tieLost(PEER)],
  ['stop-closed', l2tp.peerStopped('established', PEER, { resultCode: 1 }, false)],
  ['cdn-carrier', disconnected(1)],
  ['cdn-general-error', disconnected(2, 3)],
  ['session-limit', disconnected(2, 4)],
  ['cdn-administrative', disconnected(3)],
  ['cdn-no-facilities-now', disconnected(4)],
  ['cdn-no-facilities-ever', disconnected(5)],
  ['cdn-invalid-destination', disconnected(6)],
  ['cdn-line', disconnected(7)],
  ['cdn-line', disconnected(10)],
  ['l2tp-call-unanswered', l2tp.noIcrp(PEER, 10)],
  ['l2tp-call-unanswered', l2tp.noIccn(PEER, 10)],
  ['hello-lost', l2tp.peerSilent(PEER, 12)],
  ['l2tp-peer-restarted', l2tp.superseded(PEER)],
  ['lcp-no-answer', told('LCP', 'the peer answered none of 10 LCP Configure-Requests')],
  ['lcp-deaf', told('LCP', 'the peer sends LCP packets of its own but answered none of 10 of ours, as if it did not')],
  ['lcp-loop', loopFailure()],
  ['lcp-stuck', told('LCP', 'the peer sends LCP packets but did not come to terms with us')],
  ['auth-protocol-refused', told('authentication', 'the peer demands PAP, but this side allows only CHAP-MD5')],
  ['auth-protocol-refused', authenticationRejected(PPP_EAP)],
  [
    'auth-no-credentials',
    told('authentication', 'the peer demands that we prove who we are (PAP), but no user and password are configured'),
  ],
  ['auth-646', mschap(646)],
  ['auth-647', mschap(647)],
  ['auth-648', mschap(648)],
  ['auth-649', mschap(649)],
  ['auth-691', mschap(691)],
  ['auth-709', mschap(709)],
  ['mschap-refused', explainFailure('alice', Buffer.from('no'))],
  ['pap-refused', refusedFailure('pap', 'alice', '')],
  ['chap-refused', refusedFailure('chap', 'alice', '')],
  ['eap-refused', refusedFailure('eap', 'alice', '')],
  [
    'server-unproved',
    told('authentication', 'the server accepted user alice but did not prove that it knows the password itself'),
  ],
  ['auth-peer-unproved', unprovedFailure('chap', USER)],
  ['radius-silent', neverAuthenticated(20_000)],
  ['hung-up-authenticating', client.hungUpWhileAuthenticating('alice', 'loss of carrier')],
  ['hung-up-authenticating', terminatedWhileAuthenticating('alice', told('terminated', 'the peer closed the link'))],
  ['user-logged-in-elsewhere', told('authentication', 'the same user logged in again from elsewhere')],
  ['mppe-demanded', terminatedAfterCcp(told('terminated', 'the peer closed the link'))],
  ['pool-empty', told('IPCP', 'every address of the pool is in use')],
  ['ipcp-no-address', told('IPCP', 'the server gave us no IP address: it named 0.0.0.0')],
  ['ipcp-refused', Ipcp.rejectedFailure()],
  ['ipcp-silent', told('IPCP', 'the peer accepted the link but said nothing about IP addresses for 20 s')],
  ['ipcp-dispute', told('IPCP', 'the peer did not come to terms with us about IP addresses within 20 s')],
  ['address-overlap', assigned ?? told('', 'the assignment was accepted')],
  ['ipv6cp-refused', Ipv6cp.rejectedFailure()],
  ['echo-lost', told('echo', 'nothing came from the peer for 30 s, and it answered no Echo-Request')],
  ['link-closed', told('terminated', 'the peer closed the link: "bye"')],
  ['idle-time-out', told('Idle-Timeout', 'no user packet came or went for 60 s, after which the server ends it')],
  ['routes-failed', told('routes', 'the route 10.99.0.0/16 cannot be set')],
  ['engine-down', internalFailure(new Error('x'))],
];
