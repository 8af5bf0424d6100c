/** What PPP did so far, as proxy AVPs for the LNS that goes on with it, and back (RFC 2661 section 4.4.5). */
import { utf8Bytes } from '../../protocol/bytes.ts';
import type { ProxyAvps } from '../../protocol/l2tp/endpoint-types.ts';
import type { PeerProof, PppOutput } from '../../protocol/ppp/link-types.ts';

/** Values of the Proxy Authen Type AVP. */
const CHAP = 2;
const PAP = 3;
const MSCHAP_V1 = 5;

/** The Proxy Authen ID of PAP; the request's own identifier is of no use to anybody. */
const PAP_ID = 0;

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
      return { authenType: PAP, authenName, authenId: PAP_ID, authenResponse: proof.password };
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
  if (authenType === PAP) return { method: 'pap', name, password: authenResponse };
  if ((authenType !== CHAP && authenType !== MSCHAP_V1) || authenChallenge === undefined || authenId === undefined)
    return undefined;
  const method = authenType === CHAP ? 'chap' : 'mschapv1';
  return { method, name, identifier: authenId & 0xff, challenge: authenChallenge, response: authenResponse };
}
