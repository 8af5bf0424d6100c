/** INFORMATIONAL exchanges (RFC 7296 sections 1.4, 2.4, 2.25): DELETE, liveness, and what is told in passing. */
import type { Failure, Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import { childProtocol, isForAh } from '../proposals.ts';
import { type Child, spiNumber, spiOctets } from './child.ts';
import type { ChildAsk } from './child-negotiation.ts';
import { DONE, type Exchange } from './exchange.ts';
import { closedByPeer, replacedByRekey } from './failures.ts';
import type { IkeSa } from './ike-sa.ts';
import { answerAddresses, livenessPayloads, readLivenessAnswer } from './mobike.ts';
import { findNotify } from './notify.ts';
import { PROTOCOL } from './numbers.ts';
import { findAll, type Payload } from './payload.ts';
import { receivedToken } from './qcd.ts';
import { planReauthentication } from './reauthentication.ts';
import { refusedByPeer } from './refusal.ts';
import { adopt } from './takeover.ts';

/** The empty exchange that asks whether the peer lives (section 2.4). */
export function liveness(): Exchange {
  return {
    name: 'INFORMATIONAL',
    duty: 'informational',
    begin: (_now, sa) => (sa.established ? livenessPayloads(sa) : undefined),
    finish(now, sa, { payloads }) {
      readLivenessAnswer(now, sa, payloads);
      return DONE;
    },
  };
}

/** Hands over something that wants no answer but that it came. */
export function tell(payloads: readonly Payload[]): Exchange {
  return {
    name: 'INFORMATIONAL',
    duty: 'informational',
    begin: (_now, sa) => (sa.established ? payloads : undefined),
    finish: () => DONE,
  };
}

/** As initiator: the peer's AUTH is not good, and there is no other place to say so (section 2.21.2). */
export function tellRefused(refusal: readonly Payload[]): Exchange {
  return parting(refusal);
}

/** Deletes the IKE SA. What of it is up has to be ended before. */
export function ikeDelete(): Exchange {
  return parting([{ kind: 'D', protocol: PROTOCOL.ike, spis: [] }]);
}

function parting(payloads: readonly Payload[]): Exchange {
  return {
    name: 'INFORMATIONAL',
    duty: 'ike-delete',
    begin: () => payloads,
    finish(now, sa) {
      sa.end(now, replacedByRekey());
      sa.forget();
      return DONE;
    },
  };
}

/** Deletes a child at both ends; it is marked at once, and gone when the peer has answered. */
export function childDelete(child: Child): Exchange {
  child.state = 'deleting';
  child.rekeyAt = undefined;
  return {
    name: 'INFORMATIONAL',
    duty: 'child-delete',
    begin(_now, sa) {
      if (!sa.children.has(child.sa.id)) return undefined;
      return [{ kind: 'D', protocol: PROTOCOL[childProtocol(child.esp)], spis: [spiOctets(child.sa.inboundSpi)] }];
    },
    finish(now, sa) {
      sa.remove(now, child);
      return DONE;
    },
  };
}

/** Deletes what the peer believes in and this side never had, or has no more. */
export function spiDelete({ spi, proposals }: Pick<ChildAsk, 'spi' | 'proposals'>): Exchange {
  const protocol = isForAh(proposals) ? PROTOCOL.ah : PROTOCOL.esp;
  return {
    name: 'INFORMATIONAL',
    duty: 'child-delete',
    begin: () => [{ kind: 'D', protocol, spis: [spiOctets(spi)] }],
    finish: () => DONE,
  };
}

/** Whether a request deletes the IKE SA that it comes under. */
export function deletesIkeSa(payloads: readonly Payload[]): boolean {
  return findAll(payloads, 'D').some(({ protocol }) => protocol === PROTOCOL.ike);
}

/** Answers a request. @param path as it came. @returns payloads of the response. */
export function answerInformational(
  now: Instant,
  sa: IkeSa,
  payloads: readonly Payload[],
  path: UdpPath,
): readonly Payload[] {
  // Nothing else in that message may touch what is dead then.
  if (deletesIkeSa(payloads)) {
    deletedByPeer(now, sa, sa.childFailure ?? closedByPeer());
    return [];
  }
  if (findNotify(payloads, 'AUTHENTICATION_FAILED') !== undefined) {
    deletedByPeer(now, sa, refusedByPeer(sa, payloads, true));
    return [];
  }
  sa.peerToken = receivedToken(payloads) ?? sa.peerToken;
  if (sa.opened && findNotify(payloads, 'AUTH_LIFETIME') !== undefined) planReauthentication(now, sa, payloads);
  const deleted = [PROTOCOL.esp, PROTOCOL.ah].flatMap((protocol): readonly Payload[] => {
    const theirs = findAll(payloads, 'D').flatMap((one) => (one.protocol === protocol ? one.spis : []));
    const spis = theirs.flatMap((spi) => deleteChild(now, sa, protocol, spi));
    return spis.length === 0 ? [] : [{ kind: 'D', protocol, spis }];
  });
  const answer = answerAddresses(now, sa, payloads, path);
  return [...answer, ...deleted];
}

/** Our own wishes about it, a DELETE or a rekey under way, are forgotten (section 2.25.2). */
function deletedByPeer(now: Instant, sa: IkeSa, failure: Failure): void {
  const { peerRekey, state } = sa;
  // The peer did not notice that both sides were rekeying: its new SA stands (section 2.8.2).
  if (state.name === 'established' && peerRekey !== undefined && !peerRekey.sa.ended) adopt(now, sa, peerRekey.sa);
  sa.end(now, sa.state.name === 'replaced' ? replacedByRekey() : failure);
  sa.window.stop();
}

/**
 * @param spi of the peer's inbound direction. @returns ours, unless our own DELETE of it is under way (section 1.4.1).
 */
function deleteChild(now: Instant, sa: IkeSa, protocol: number, spi: Uint8Array): readonly Uint8Array[] {
  const number = spiNumber(spi);
  for (const child of sa.children.values()) {
    if (child.sa.outboundSpi !== number || PROTOCOL[childProtocol(child.esp)] !== protocol) continue;
    const crossed = child.state === 'deleting' && sa.window.current?.duty === 'child-delete';
    sa.remove(now, child);
    return crossed ? [] : [spiOctets(child.sa.inboundSpi)];
  }
  return [];
}
