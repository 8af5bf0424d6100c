import type { InterfaceId } from '../../dataplane/data-plane.ts';
import type { DataPlaneDispatch } from '../data-plane-dispatch.ts';
import { errorText, type Step } from '../steps.ts';
import type { TunnelNetwork, TunnelNetworks } from '../tunnel-networks.ts';
import type { ClientIpv6 } from './client-ipv6.ts';
import type { ClientNetwork } from './client-types.ts';

/** What waits for a connection that is being dialled: a few seconds of the first exchanges of some hosts. */
const HELD_PACKETS = 64;
/** How long it waits, ms: as long as resolvers and TCP do before they give up or have long tried again. */
const HELD_MS = 30_000;

export interface ClientInterfaceParts {
  readonly dispatch: DataPlaneDispatch;
  readonly networks: TunnelNetworks;
  readonly onStep: (step: Step) => void;
  /** Packets wait for the connection. */
  readonly onTraffic: () => void;
}

export interface ClientInterfacePlace {
  readonly name: string;
  readonly device: string;
  readonly routes: readonly string[];
  /** The TUN holds packets while there is no connection. */
  readonly onDemand: boolean;
  /** Of the TUN while there is no connection, octets. */
  readonly mtu: number;
}

/** The TUN of a client with its addresses and routes: while the client is up, or, on demand, also before and after. */
export class ClientInterface {
  readonly #place: ClientInterfacePlace;
  readonly #parts: ClientInterfaceParts;
  #id: InterfaceId | undefined;

  constructor(place: ClientInterfacePlace, parts: ClientInterfaceParts) {
    this.#place = place;
    this.#parts = parts;
  }

  /** While the TUN stands. */
  get id(): InterfaceId | undefined {
    return this.#id;
  }

  /** TUN and routes without a connection: what goes there waits, and is told. @throws Error in words. */
  async arm(): Promise<void> {
    if (this.#id === undefined) await this.#add(this.#place.mtu, undefined);
    await this.#parts.networks.up(this.#network(undefined, undefined));
  }

  /**
   * TUN, addresses and routes of a connection.
   * @param wanted whether the connection is still there.
   * @returns the same at the end. What stands by then is taken down by {@link close}.
   * @throws Error in words.
   */
  async open(network: ClientNetwork, wanted: () => boolean): Promise<boolean> {
    if (this.#id === undefined) await this.#add(network.mtu, network.localAddress);
    else await this.#parts.dispatch.dataPlane.setInterfaceMtu(this.#id, network.mtu);
    if (!wanted()) return false;
    await this.#parts.networks.up(this.#network(network, undefined));
    return wanted();
  }

  /** Brings addresses and DNS servers of IPv6 up to date. What cannot be done costs IPv6, and not the connection. */
  async changeIpv6(network: ClientNetwork, ipv6: ClientIpv6 | undefined): Promise<void> {
    if (this.#id === undefined) return;
    const { networks, onStep } = this.#parts;
    try {
      await networks.up(this.#network(network, ipv6));
      const addresses = ipv6?.addresses ?? [];
      if (addresses.length > 0) onStep({ step: 'IPv6', detail: `the address is ${addresses.join(', ')}` });
    } catch (error) {
      onStep({ step: 'IPv6', detail: `it cannot be used: ${errorText(error)}` });
    }
  }

  /** What cannot be undone is said and passed over: the rest has to go all the same. */
  async close(): Promise<void> {
    const id = this.#id;
    if (id === undefined) return;
    this.#id = undefined;
    const { networks, dispatch, onStep } = this.#parts;
    const { device } = this.#place;
    dispatch.disownInterface(id);
    try {
      await networks.down(device);
    } catch (error) {
      onStep({ step: 'routes', detail: `those of ${device} could not be removed: ${errorText(error)}` });
    }
    // Refused only by a data plane that is gone, and its TUNs with it.
    await dispatch.dataPlane.removeInterface(id).catch(() => undefined);
  }

  async #add(mtu: number, address: string | undefined): Promise<void> {
    const { dispatch, onTraffic } = this.#parts;
    const { device: name, onDemand } = this.#place;
    const id = dispatch.nextId();
    if (onDemand) dispatch.ownInterface(id, onTraffic);
    await dispatch.dataPlane.addInterface({
      id,
      name,
      mtu,
      ...(address === undefined ? {} : { address }),
      ...(onDemand ? { hold: { packets: HELD_PACKETS, milliseconds: HELD_MS } } : {}),
    });
    this.#id = id;
  }

  #network(network: ClientNetwork | undefined, ipv6: ClientIpv6 | undefined): TunnelNetwork {
    const { name, device, routes: prefixes } = this.#place;
    if (!network) return { name, device, localAddress: '', prefixes, dns: [] };
    const { localAddress, peerAddress, dns } = network;
    const ipv4 = { name, device, localAddress, peerAddress, prefixes };
    if (!ipv6) return { ...ipv4, dns };
    const addresses = [`${ipv6.linkLocalAddress}/64`, ...ipv6.addresses.map((address) => `${address}/128`)];
    return { ...ipv4, dns: [...dns, ...ipv6.dns], ipv6: { addresses, mtu: ipv6.mtu } };
  }
}
