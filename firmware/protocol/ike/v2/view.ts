/** What can be seen of IKE SAs from outside. */
import type { Instant } from '../../machine.ts';
import type { UdpPath } from '../../udp-path.ts';
import type { ChildSa, IkePeer } from '../ike-types.ts';
import type { IkeProposal } from '../proposals.ts';
import type { ChildState } from './child.ts';
import type { IkeSa, IkeSaState } from './ike-sa.ts';

export interface ChildView {
  readonly sa: ChildSa;
  readonly state: ChildState;
  /** Of a key exchange of its own; the first child of an IKE SA has none. */
  readonly group?: string;
  /** Key exchange beside it. */
  readonly additional?: string;
  /** Until the hard end, seconds. */
  readonly secondsLeft: number;
}

export interface IkeSaView {
  readonly ikeId: number;
  readonly connection: string;
  readonly initiator: boolean;
  readonly state: IkeSaState['name'];
  readonly path: UdpPath;
  readonly proposal?: IkeProposal;
  readonly peer: IkePeer;
  readonly udpEncapsulation: boolean;
  readonly fragmentation: boolean;
  /** 8 octets each. */
  readonly spiI: Uint8Array;
  readonly spiR: Uint8Array;
  /** Until the hard end, seconds; absent before it is established. */
  readonly secondsLeft?: number;
  readonly children: readonly ChildView[];
}

export function viewOf(now: Instant, sa: IkeSa): IkeSaView {
  const left = (until: Instant): number => Math.max(0, Math.floor((until - now) / 1000));
  return {
    ikeId: sa.id,
    connection: sa.connection.name,
    initiator: sa.initiator,
    state: sa.state.name,
    path: sa.path,
    ...(sa.proposal === undefined ? {} : { proposal: sa.proposal }),
    peer: sa.peer,
    udpEncapsulation: sa.encapsulation !== undefined,
    fragmentation: sa.fragmentation,
    spiI: sa.spiI,
    spiR: sa.spiR,
    ...(sa.established && sa.expiresAt !== undefined ? { secondsLeft: left(sa.expiresAt) } : {}),
    children: [...sa.children.values()].map((child) => ({
      sa: child.sa,
      state: child.state,
      ...(child.esp.group === undefined ? {} : { group: child.esp.group }),
      ...(child.esp.additional === undefined ? {} : { additional: child.esp.additional }),
      secondsLeft: left(child.expiresAt),
    })),
  };
}
