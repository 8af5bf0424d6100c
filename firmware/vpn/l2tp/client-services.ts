/** What a client is made of: where it stands, and whose services it uses. */
import type { Clock } from '../../../hal/clock.ts';
import type { Failure, RandomSource } from '../../protocol/machine.ts';
import type { DataPlaneDispatch } from '../data-plane-dispatch.ts';
import type { IpsecChannels } from '../ipsec/channel.ts';
import type { ConnectionState, Step } from '../steps.ts';
import type { TunnelNetworks } from '../tunnel-networks.ts';
import type { LocalAddressOf } from './local-address.ts';

export interface L2tpClientServices {
  readonly dispatch: DataPlaneDispatch;
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly networks: TunnelNetworks;
  /** Wanted by clients that are protected by IPsec. */
  readonly channels?: IpsecChannels;
  /** Addresses of a server through the uplink's DNS. */
  readonly resolve: (name: string) => Promise<readonly string[] | Failure>;
  /** Absent: the machine chooses. */
  readonly localAddress?: LocalAddressOf;
  readonly onStep: (step: Step) => void;
  readonly onState: (state: ConnectionState, failure?: Failure) => void;
}

export interface L2tpClientPlacement {
  readonly name: string;
  /** Of the TUN. */
  readonly device: string;
  /** Local UDP port; 0: ephemeral. With `ipsec`, of the inner UDP header, and 0: 1701. */
  readonly sourcePort: number;
  /** Name in `ipsec.connections`: L2TP goes inside IPsec, and never in clear. */
  readonly ipsec?: string;
  /** SO_MARK of outer packets. */
  readonly mark: number;
  /** CIDR, routed into the tunnel while it is up. */
  readonly routes: readonly string[];
  /** TUN and routes stand although nothing is dialled, and packets that go there have it dial. Default false. */
  readonly onDemand?: boolean;
  /** Hang up after so much silence of user packets both ways, s. Default 0: never. */
  readonly idleSeconds?: number;
}
