/** What PPP did so far, as proxy AVPs for the LNS that goes on with it, and back (RFC 2661 section 4.4.5). */
import { utf8Bytes } from '../../protocol/bytes.ts';
import type { ProxyAvps } from '../../protocol/l2tp/endpoint-types.ts';
import type { PeerProof, PppOutput } from '../../protocol/ppp/link-types.ts';
import type { ProxiedStart } from '../../protocol/ppp/proxied-start.ts';

/** Values of the Proxy Authen Type AVP. */
const CHAP = 2;
const PAP = 3;
const MSCHAP_V1 = 5;

/**
 * How far the word of a LAC goes: not at all, for what it negotiated by LCP, or for what the caller proved to it, too. A LAC
 * that is believed in full can say of anybody whose answer it once heard that he is calling.
 */
export type ProxyTrust = 'off' | 'lcp' | 'full';

/**
 * @returns `undefined` for a proof that RFC 2661 has no number for: the LNS begins with LCP, as it would without a LAC that
 * looks at PPP.
 */
export function proxyAvps({
  lcp,
  proof,
}: Pick<Extract<PppOutput, { kind: 'handed-over' }>, 'lcp' | 'proof'>): ProxyAvps | undefined {
  const authentication = proxyAuthentication(proof);
  if (authentication === undefined) return undefined;
  return {
    initialReceivedLcpConfreq: lcp.initialReceivedConfreq,
    lastSentLcpConfreq: lcp.lastSentConfreq,
    lastReceivedLcpConfreq: lcp.lastReceivedConfreq,
    ...authentication,
  };
}

function proxyAuthentication(proof: PeerProof): ProxyAvps | undefined {
  const authenName = Buffer.from(proof.name).toString('utf8');
  switch (proof.method) {
    case 'pap':
      return { authenType: PAP, authenName, authenId: proof.identifier ?? 0, authenResponse: proof.password };
    case 'chap':
    case 'mschapv1':
      return {
        authenType: proof.method === 'chap' ? CHAP : MSCHAP_V1,
        authenName,
        authenChallenge: proof.challenge,
        authenId: proof.identifier,
        authenResponse: proof.response,
      };
    default:
      return undefined;
  }
}

/** The proof in the AVPs of a call; `undefined` when there is none that can be judged. */
export function proxiedProof(proxy: ProxyAvps): PeerProof | undefined {
  const { authenType, authenName, authenChallenge, authenId, authenResponse } = proxy;
  if (authenName === undefined || authenResponse === undefined) return undefined;
  const name = utf8Bytes(authenName);
  const identifier = (authenId ?? 0) & 0xff;
  if (authenType === PAP) return { method: 'pap', name, password: authenResponse, identifier };
  if ((authenType !== CHAP && authenType !== MSCHAP_V1) || authenChallenge === undefined || authenId === undefined)
    return undefined;
  const method = authenType === CHAP ? 'chap' : 'mschapv1';
  return { method, name, identifier, challenge: authenChallenge, response: authenResponse };
}

/** What a link may go on with of the AVPs of a call; `undefined`: it begins with LCP. */
export function proxiedStart(proxy: ProxyAvps, trust: ProxyTrust): ProxiedStart | undefined {
  const { lastSentLcpConfreq, lastReceivedLcpConfreq, authenId } = proxy;
  if (trust === 'off' || lastSentLcpConfreq === undefined || lastReceivedLcpConfreq === undefined) return undefined;
  const proof = trust === 'full' ? proxiedProof(proxy) : undefined;
  return {
    lastSentConfreq: lastSentLcpConfreq,
    lastReceivedConfreq: lastReceivedLcpConfreq,
    ...(authenId === undefined ? {} : { challengeIdentifier: authenId & 0xff }),
    ...(proof ? { proof } : {}),
  };
}
