/** Why PPP ended, for the LAC that carried it: the PPP Disconnect Cause Code AVP of a CDN (RFC 3145). */
import type { PppDisconnect } from '../../protocol/l2tp/endpoint-types.ts';
import type { Failure } from '../../protocol/machine.ts';
import { PPP_CHAP, PPP_EAP, PPP_IPCP, PPP_IPV6CP, PPP_LCP, PPP_PAP } from '../../protocol/ppp/protocol-numbers.ts';

/** Direction (section 2). */
const GLOBAL = 0;
const AT_PEER = 1;

const AUTHENTICATION_PROTOCOLS: Readonly<Record<string, number>> = { PAP: PPP_PAP, CHAP: PPP_CHAP, EAP: PPP_EAP };

/** By the step that failed: code, protocol and direction (section 3). Text would tell the caller more than it may know. */
const CAUSES: Readonly<Record<string, PppDisconnect>> = {
  LCP: { code: 5, protocol: PPP_LCP, direction: GLOBAL },
  echo: { code: 8, protocol: PPP_LCP, direction: GLOBAL },
  terminated: { code: 3, protocol: 0, direction: AT_PEER },
  authentication: { code: 16, protocol: 0, direction: AT_PEER },
  IPCP: { code: 17, protocol: PPP_IPCP, direction: GLOBAL },
  IPV6CP: { code: 17, protocol: PPP_IPV6CP, direction: GLOBAL },
};

/**
 * @param spoken the last authentication protocol of the link: `PAP`, `CHAP` or `EAP`, where there was one. The code for a
 * failed authentication must name it.
 * @returns `undefined` where it was not PPP that failed.
 */
export function pppDisconnect({ step }: Failure, spoken: string | undefined): PppDisconnect | undefined {
  const cause = Object.hasOwn(CAUSES, step) ? CAUSES[step] : undefined;
  if (cause === undefined || step !== 'authentication') return cause;
  const protocol = spoken === undefined ? undefined : AUTHENTICATION_PROTOCOLS[spoken];
  // Refused before any of them was spoken: no protocol was acceptable to both.
  return protocol === undefined ? { ...cause, code: 15, protocol: PPP_LCP } : { ...cause, protocol };
}
