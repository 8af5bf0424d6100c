/** Why an IKE SA ended or never came up, in words. */
import type { Failure } from '../../machine.ts';
import { formatEndpoint, type UdpPath } from '../../udp-path.ts';
import type { TrafficSelector } from '../ike-types.ts';
import { type ExchangeName, NOTIFY, notifyText } from './numbers.ts';
import { selectorsText } from './traffic-selector.ts';

/** A request was retransmitted in vain. */
export function silentPeer({ remote }: UdpPath, exchange: ExchangeName): Failure {
  const whom = formatEndpoint(remote);
  switch (exchange) {
    case 'IKE_SA_INIT':
      return {
        step: 'IKE_SA_INIT',
        reason: `${whom} gave no answer at all`,
        remedy: `check that the peer runs IKEv2 and that nothing between blocks UDP port ${remote.port}`,
        cause: 'silence',
      };
    case 'IKE_INTERMEDIATE':
    case 'IKE_AUTH':
      return {
        step: 'IKE_AUTH',
        reason: `the peer answered IKE_SA_INIT, but ${whom} gave no answer to ${exchange}`,
        remedy: `check that nothing between blocks UDP port ${remote.port} or drops fragments of long datagrams`,
        cause: 'silence',
      };
    default:
      return {
        step: 'liveness',
        reason: `the peer ${whom} does not answer any more`,
        remedy: 'check the line to the peer and whether the peer is up',
        cause: 'silence',
      };
  }
}

/** The network says that the peer cannot be reached. @param code errno name. */
export function unreachablePeer({ remote }: UdpPath, code: string): Failure {
  const whom = formatEndpoint(remote);
  const refused = code === 'ECONNREFUSED';
  return {
    step: 'IKE_SA_INIT',
    reason: refused ? `nothing listens on ${whom}` : `the network cannot reach ${whom} (${code})`,
    remedy: refused ? 'check that the peer runs IKEv2' : 'check the route to the peer and the line itself',
    cause: 'silence',
  };
}

/** An answer that is an error and has no words of its own. */
export function peerRefused(step: ExchangeName, type: number): Failure {
  return {
    step,
    reason: `the peer answered with ${notifyText(type)}`,
    remedy: 'look for the cause in the log of the peer',
    cause: type === NOTIFY.NO_PROPOSAL_CHOSEN ? 'no-proposal' : 'refused',
  };
}

/** A response, or a request that verifies, makes no sense. @param what with article. */
export function malformed(step: ExchangeName, what: string): Failure {
  return {
    step,
    reason: `the peer sent ${what}`,
    remedy: 'update the software of the peer, or report this with a capture',
  };
}

/** TS_UNACCEPTABLE as responder. */
export function selectorsRefused(
  offered: { readonly local: readonly TrafficSelector[]; readonly remote: readonly TrafficSelector[] },
  allowed: { readonly local: readonly TrafficSelector[]; readonly remote: readonly TrafficSelector[] },
): Failure {
  return {
    step: 'traffic selectors',
    reason:
      `the peer wants ${selectorsText(offered.local)} here to ${selectorsText(offered.remote)} there; ` +
      `set up is ${selectorsText(allowed.local)} here to ${selectorsText(allowed.remote)} there`,
    remedy: 'make the networks on both ends mirror each other',
    cause: 'refused',
  };
}

/** TS_UNACCEPTABLE as initiator. */
export function selectorsUnacceptable(local: readonly TrafficSelector[], remote: readonly TrafficSelector[]): Failure {
  return {
    step: 'traffic selectors',
    reason: `the peer refuses traffic of ${selectorsText(local)} to ${selectorsText(remote)} (TS_UNACCEPTABLE)`,
    remedy: 'make the networks on both ends mirror each other',
    cause: 'refused',
  };
}

/** One side wants transport mode, the other one tunnel mode. */
export function modeMismatch(wanted: 'transport' | 'tunnel'): Failure {
  const other = wanted === 'transport' ? 'tunnel' : 'transport';
  return {
    step: 'child SA',
    reason: `${wanted} mode is set here, and the peer wants ${other} mode`,
    remedy: `set the peer to ${wanted} mode`,
    cause: 'refused',
  };
}

export function closedByPeer(): Failure {
  return {
    step: 'DELETE',
    reason: 'the peer closed the IKE SA',
    remedy: 'look for the cause in the log of the peer if this was not intended',
  };
}

export function closedHere(): Failure {
  return { step: 'DELETE', reason: 'closed from this side', remedy: 'connect again when wanted' };
}

export function replacedByRekey(): Failure {
  return { step: 'rekey', reason: 'another IKE SA took over', remedy: 'nothing needs to be done' };
}

export function lifetimeOver(what: 'IKE' | 'child'): Failure {
  return {
    step: 'rekey',
    reason: `the lifetime of the ${what} SA ended before the peer agreed to a new one`,
    remedy: 'look for the cause in the log of the peer, and compare the proposals of both ends',
  };
}

export function noChildLeft(): Failure {
  return {
    step: 'child SA',
    reason: 'the peer closed the last child SA and made no other',
    remedy: 'look for the cause in the log of the peer',
  };
}

/** RFC 6290. */
export function peerRestarted(): Failure {
  return {
    step: 'liveness',
    reason: 'the peer proved that it was restarted and has lost the SA',
    remedy: 'nothing needs to be done; connecting again is enough',
  };
}

/** INITIAL_CONTACT. */
export function supersededByPeer(): Failure {
  return {
    step: 'INITIAL_CONTACT',
    reason: 'the peer began anew and says that it holds no older SA',
    remedy: 'nothing needs to be done; the new SA is in use',
  };
}

/** As responder: the caller got our answer to IKE_SA_INIT, or did not, and went silent. */
export function callerVanished({ remote }: UdpPath): Failure {
  return {
    step: 'IKE_AUTH',
    reason: `${formatEndpoint(remote)} began with IKE_SA_INIT, but its IKE_AUTH never came`,
    remedy: 'check that nothing between blocks UDP port 4500 or our answers',
    cause: 'silence',
  };
}

/** CREATE_CHILD_SA was answered with TEMPORARY_FAILURE for minutes (RFC 7296 section 2.25). */
export function outOfStep(): Failure {
  return {
    step: 'rekey',
    reason: 'the peer said TEMPORARY_FAILURE for minutes: the two ends disagree about their SAs',
    remedy: 'nothing needs to be done; connecting again is enough',
  };
}

/** As responder: the time that the caller was told by AUTH_LIFETIME is over (RFC 4478). */
export function notReauthenticated(): Failure {
  return {
    step: 'authentication',
    reason: 'the peer did not prove again who it is within the time that is set here',
    remedy: 'let the peer reauthenticate (it was told by AUTH_LIFETIME), or set reauthSeconds to 0 here',
  };
}

/** MOBIKE: the peer does not want to go on with our new address. @param type of its answer. */
export function addressRefused({ local }: UdpPath, type: number): Failure {
  return {
    step: 'MOBIKE',
    reason: `the peer refuses to go on with our new address ${local.address} (${notifyText(type)})`,
    remedy: 'nothing needs to be done if connecting again works; otherwise allow that address at the peer',
  };
}

/** MOBIKE: who answers at the address that the peer gave has not seen what was sent there. */
export function notThere({ remote }: UdpPath): Failure {
  return {
    step: 'MOBIKE',
    reason: `the peer said that it moved to ${formatEndpoint(remote)}, and could not prove that it receives there`,
    remedy: 'look for the cause in the log of the peer; something between may be changing addresses',
  };
}
