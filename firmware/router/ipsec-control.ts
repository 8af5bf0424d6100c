import type { Clock } from '../../hal/clock.ts';
import type { IkeSecrets } from '../protocol/ike/ike-types.ts';
import type { Failure, RandomSource } from '../protocol/machine.ts';
import type { DataPlaneDispatch } from '../vpn/data-plane-dispatch.ts';
import type { IpsecChannels } from '../vpn/ipsec/channel.ts';
import type { IpsecConnectionInfo, IpsecConnectionSettings } from '../vpn/ipsec/ipsec-types.ts';
import type { SourceAddress } from '../vpn/ipsec/local-addresses.ts';
import type { ConnectionState, Step } from '../vpn/steps.ts';
import type { TunnelNetworks } from '../vpn/tunnel-networks.ts';

/** What the router asks of the IPsec service. */
export interface IpsecControl extends IpsecChannels {
  /** What is unchanged keeps running. */
  setConnections(connections: readonly IpsecConnectionSettings[]): Promise<void>;
  /** Brings a connection in tunnel mode up, and keeps it up until {@link disconnect}. */
  connect(name: string): void;
  /** Resolves when it is down. */
  disconnect(name: string): Promise<void>;
  /** The network of this machine may have changed, and with it the address that this side has towards its peers. */
  networkChanged(): void;
  /** There is another way out: what waits for its next attempt makes it now, and what stands moves. */
  uplinkChanged(): void;
  info(): readonly IpsecConnectionInfo[];
  /** Keys of all SAs in use, for a request that asks for nothing else: never for a status, and never to be logged. */
  secrets(): readonly IkeSecrets[];
  stop(): Promise<void>;
}

/** What the service needs of the router; the rest is kept in the state directory. */
export interface IpsecSurroundings {
  readonly dispatch: DataPlaneDispatch;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** SO_MARK of outer packets. */
  readonly mark: number;
  readonly networks: TunnelNetworks;
  readonly sourceAddress: SourceAddress;
  /** Addresses of a peer through the uplink's DNS. */
  readonly resolve: (name: string) => Promise<readonly string[] | Failure>;
  readonly onStep: (connection: string, step: Step) => void;
  readonly onState: (connection: string, state: ConnectionState, failure?: Failure) => void;
}

/** Makes the service, once, when the first configuration with an IPsec connection comes into force. */
export type IpsecFactory = (surroundings: IpsecSurroundings) => Promise<IpsecControl>;
