/** Why a request of ping or traceroute was not answered, in words. */
import {
  ECHO_HEADER,
  type IcmpFamily,
  type IcmpMessage,
  IP_HEADER,
  unreachableText,
} from '../../protocol/icmp/icmp-message.ts';
import type { ReachError } from './reach-event.ts';

/** Time Exceeded while fragments were put together (RFC 792, RFC 4443 section 3.3). */
const REASSEMBLY = 1;

/** Octets of data in the largest request that fits into a packet of `mtu` octets. */
export function largestSize(family: IcmpFamily, mtu: number): number {
  return Math.max(0, mtu - IP_HEADER[family] - ECHO_HEADER);
}

export function messageError(family: IcmpFamily, from: string, message: IcmpMessage): ReachError {
  switch (message.kind) {
    case 'too-big':
      return { from, ...tooBig(family, message.mtu) };
    case 'unreachable':
      return { from, reason: unreachableText(family, message.code) };
    case 'time-exceeded':
      return {
        from,
        reason:
          message.code === REASSEMBLY
            ? 'not all of its fragments came'
            : 'it went over too many routers: they may send it round in a circle',
      };
    case 'reply':
      return { from, reason: 'it answered' };
  }
}

/** What this router's own kernel said. @param code errno name. */
export function refusalError(
  family: IcmpFamily,
  { code, mtu }: { readonly code: string; readonly mtu: number },
): ReachError {
  switch (code) {
    case 'EMSGSIZE':
      return tooBig(family, mtu);
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return { reason: 'this router has no route there at the moment, or the tunnel to it is down' };
    case 'EPERM':
    case 'EACCES':
      return { reason: 'the packet filter of this router, or its routing, forbids it' };
    case 'ENETDOWN':
    case 'ENODEV':
    case 'ENXIO':
      return { reason: 'the network device by which it would leave is down or gone' };
    case 'EAGAIN':
    case 'ENOBUFS':
      return { reason: 'this router has more to send than it can' };
    default:
      return { reason: `this router's kernel refuses it (${code})` };
  }
}

function tooBig(family: IcmpFamily, mtu: number): ReachError {
  if (mtu === 0) return { reason: 'it is too large for the path, which does not say how large it may be' };
  const most = largestSize(family, mtu);
  return {
    reason: `it is too large for the path, whose MTU is ${mtu} from there on: at most --size ${most} gets through`,
    pathMtu: mtu,
  };
}
