import { isDeepStrictEqual } from 'node:util';
import { poolPrefixes } from '../../config/tunnel-routes.ts';
import type { InterfaceId } from '../../dataplane/data-plane.ts';
import type { DataPlaneDispatch } from '../data-plane-dispatch.ts';
import { errorText, type Step } from '../steps.ts';
import type { TunnelNetwork, TunnelNetworks } from '../tunnel-networks.ts';
import type { TunnelSettings } from './ipsec-types.ts';

/** What waits for a connection that is being called: a few seconds of the first exchanges of some hosts. */
const HELD_PACKETS = 64;
/** How long it waits, ms: as long as resolvers and TCP do before they give up or have long tried again. */
const HELD_MS = 30_000;

export interface TunnelInterfaceParts {
  readonly dispatch: DataPlaneDispatch;
  readonly networks: TunnelNetworks;
  readonly onStep: (step: Step) => void;
  /** Packets wait on the TUN. */
  readonly onTraffic: () => void;
}

/** The TUN of a connection between networks, and the routes into it. */
export class TunnelInterface {
  readonly #settings: TunnelSettings;
  readonly #parts: TunnelInterfaceParts;
  #id: InterfaceId | undefined;
  #routed: TunnelNetwork | undefined;

  constructor(settings: TunnelSettings, parts: TunnelInterfaceParts) {
    this.#settings = settings;
    this.#parts = parts;
  }

  /** While the TUN is there. */
  get id(): InterfaceId | undefined {
    return this.#id;
  }

  /** The TUN, without routes. @throws Error in words. */
  async open(): Promise<void> {
    if (this.#id !== undefined) return;
    const { dispatch, onTraffic } = this.#parts;
    const { device: name, mtu, start } = this.#settings.tunnel;
    const id = dispatch.nextId();
    const holds = start === 'traffic';
    if (holds) dispatch.ownInterface(id, onTraffic);
    await dispatch.dataPlane.addInterface({
      id,
      name,
      mtu,
      ...(holds ? { hold: { packets: HELD_PACKETS, milliseconds: HELD_MS } } : {}),
    });
    this.#id = id;
  }

  /**
   * The routes into it, and the address on it; nothing where they are there.
   * @param address that the peer has assigned, if any, and @param dns the servers that it named. @throws Error in words.
   */
  async route(address = '', dns: readonly string[] = []): Promise<void> {
    const { name, tunnel } = this.#settings;
    const { device, remoteSubnets, pool } = tunnel;
    const network = {
      name,
      device,
      localAddress: address,
      dns,
      prefixes: [...remoteSubnets, ...poolPrefixes(pool?.range)],
    };
    if (isDeepStrictEqual(network, this.#routed)) return;
    this.#routed = network;
    try {
      await this.#parts.networks.up(network);
    } catch (error) {
      await this.unroute();
      throw error;
    }
  }

  /** What cannot be undone is said and passed over. */
  async unroute(): Promise<void> {
    if (this.#routed === undefined) return;
    this.#routed = undefined;
    const { device } = this.#settings.tunnel;
    await this.#parts.networks.down(device).catch((error: unknown) => {
      this.#parts.onStep({ step: 'routes', detail: `those of ${device} could not be removed: ${errorText(error)}` });
    });
  }

  /** Routes and TUN go. Never rejects. */
  async close(): Promise<void> {
    await this.unroute();
    const id = this.#id;
    if (id === undefined) return;
    this.#id = undefined;
    const { dispatch } = this.#parts;
    dispatch.disownInterface(id);
    // Refused only by a data plane that is gone, and its TUNs with it.
    await dispatch.dataPlane.removeInterface(id).catch(() => undefined);
  }
}
