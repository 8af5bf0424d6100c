import { formatEndpoint, sameEndpoint, type UdpPath } from '../../protocol/udp-path.ts';
import type { Step } from '../steps.ts';

/** What to say of an IKE SA whose path is another one now. @param said the one that moved said so itself (MOBIKE). */
export function moveStep(from: UdpPath, to: UdpPath, said: boolean): Step | undefined {
  if (from.local.address !== to.local.address) {
    const detail = `this side has the address ${to.local.address} instead of ${from.local.address}, and goes on from there`;
    return { step: 'MOBIKE', detail };
  }
  if (sameEndpoint(from.remote, to.remote)) return undefined;
  const moved = `the peer moved from ${formatEndpoint(from.remote)} to ${formatEndpoint(to.remote)}`;
  if (said) return { step: 'MOBIKE', detail: `${moved}, as it said itself; what is for it goes there now` };
  const why = 'as one does whose NAT has forgotten its mapping; what is for it goes there now';
  return { step: 'NAT', detail: `${moved}, ${why}` };
}
