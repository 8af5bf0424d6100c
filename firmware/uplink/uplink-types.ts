/**
 * What an uplink is to everything around it, whatever it is made of: an Ethernet port with a fixed address or a lease, a PPPoE
 * session, a modem that dials.
 */

import type { UplinkRoute } from '../network/uplink-routing.ts';
import type { Failure } from '../protocol/machine.ts';
import type { ConnectionState } from '../vpn/steps.ts';
import type { ModemStatus } from './modem/cellular-modem.ts';

/** The network layer of a link that stands. */
export interface UplinkAddressing {
  /** The device by which packets leave: `eth0`, the TUN of a PPP session. */
  readonly device: string;
  /** Ours, with its prefix length: `192.0.2.7/24`, `192.0.2.7/32`. */
  readonly address: string;
  /** The next router; absent on a point-to-point device. */
  readonly gateway?: string;
  /** Further networks by it, CIDR; without a gateway: on its link. In their order, of which a later one may need an earlier one. */
  readonly routes?: readonly UplinkRoute[];
  /** None to three. */
  readonly dns: readonly string[];
  /** Octets of the largest IPv4 packet, where the link takes less than its device. */
  readonly mtu?: number;
  /** Whether this side has to put the address on the device (a lease), or whoever made the device has done so (PPP, static). */
  readonly assign: boolean;
}

/** What a link tells of itself. `carrier`: there is something at the other end of the cable, the line or the air. */
export interface LinkView {
  readonly state: ConnectionState;
  readonly carrier: boolean;
  /** While `up`. */
  readonly addressing?: UplinkAddressing;
  /** While `failed`, and while it is tried again after a failure. */
  readonly failure?: Failure;
  /** What is being done now, in words: `asking for a lease`, `waiting for the network`; empty when there is nothing to say. */
  readonly doing: string;
  /** Of a modem that is in a network: 0 to 5. */
  readonly signalBars?: number;
}

/** One link of an uplink: brings it up, keeps it up (redialling for ever with back-off), tells of it. */
export interface UplinkLink {
  /** Called after each change of {@link view}, never within a call of this link. */
  onChange: (() => void) | undefined;
  view(): LinkView;
  /** Begins to dial, and dials again for ever. Harmless when it does already. */
  start(): void;
  /** Says goodbye; resolves when it is down, its device gone. {@link start} may follow. Never rejects. */
  stop(): Promise<void>;
  /** Nobody wants it any more, nor will: what it keeps ready while it is down goes, too. After {@link stop}; never rejects. */
  dispose?(): Promise<void>;
  /** What there is to tell of its modem; absent where it is built on none. */
  modem?(): ModemStatus;
  /** Whatever it is built on came back (the cable of its Ethernet port): an attempt that waits is made at once. */
  parentReturned(): void;
}
