import { NatKeepaliveTimer } from '../../protocol/esp/udp-encapsulation.ts';
import type { AssignedConfiguration } from '../../protocol/ike/authentication.ts';
import type { IkePeer } from '../../protocol/ike/ike-types.ts';
import { IKE_PORT } from '../../protocol/ike/nat.ts';
import type { Failure, Instant } from '../../protocol/machine.ts';
import type { UdpEndpoint, UdpPath } from '../../protocol/udp-path.ts';
import type { ChannelId } from './channel.ts';
import type { IkeRef } from './ike-endpoints.ts';

/** What the channels need to know of an IKE SA. */
export class IkeRecord {
  readonly ref: IkeRef;
  readonly connection: string;
  path: UdpPath;
  /** Where the peer was before it moved while the SA stood. */
  movedFrom: UdpEndpoint | undefined;
  /** Absent before it stands. */
  peer: IkePeer | undefined;
  /** What the peer assigned to this side. */
  configuration: AssignedConfiguration | undefined;
  /** The channel for which this side called. */
  channel: ChannelId | undefined;
  /** Another one has its children. */
  replaced = false;
  /** It has, or had, a child SA that a channel uses. */
  hadChild = false;
  /** The last child SA that was refused, as far as it was told. */
  refusal: Failure | undefined;
  /** This side has closed it. */
  closed = false;
  #keepalive: NatKeepaliveTimer | undefined;

  constructor(ref: IkeRef, connection: string, path: UdpPath) {
    this.ref = ref;
    this.connection = connection;
    this.path = path;
  }

  /** It stands. A mapping of a NAT before this side is kept alive from now on. */
  established(now: Instant, peer: IkePeer, path: UdpPath): void {
    this.moved(now, peer, path);
  }

  /** It goes another way, or ESP goes otherwise. */
  moved(now: Instant, peer: IkePeer, path: UdpPath): void {
    this.peer = peer;
    this.path = path;
    const mapped = peer.natLocal || peer.encapsulation === 'configuration';
    this.#keepalive = mapped && path.local.port !== IKE_PORT ? new NatKeepaliveTimer(now) : undefined;
  }

  get deadline(): Instant | undefined {
    return this.replaced ? undefined : this.#keepalive?.nextDeadline();
  }

  /** Whether a NAT keepalive is due. */
  keepaliveDue(now: Instant): boolean {
    if (this.replaced) return false;
    this.#keepalive?.tick(now);
    return this.#keepalive?.poll() !== undefined;
  }
}
