import type { Clock } from '../../../hal/clock.ts';
import type { PolicySpec, SaKey } from '../../dataplane/data-plane.ts';
import { childProtocol } from '../../protocol/ike/proposals.ts';
import type { DataPlaneDispatch, SaEvent } from '../data-plane-dispatch.ts';
import type { ChannelId } from './channel.ts';
import type { IkeSockets } from './ike-sockets.ts';
import type { ChannelPolicy, ChannelSa } from './ipsec-output.ts';

export interface ChannelProgrammingServices {
  readonly dispatch: DataPlaneDispatch;
  readonly clock: Clock;
  readonly sockets: IkeSockets;
  /** What lies inside the policy; `undefined`: its user is gone, and its channel is about to end. */
  readonly inside: (policy: ChannelPolicy) => PolicySpec['inside'] | undefined;
  readonly onSaEvent: (event: SaEvent) => void;
  /** Packets came in by these pairs. */
  readonly onTraffic: (keys: readonly SaKey[]) => void;
}

/** Puts policies and SA pairs into the data plane, and watches the pairs. */
export class ChannelProgramming {
  readonly #services: ChannelProgrammingServices;
  readonly #policies = new Set<ChannelId>();
  readonly #channelOfSa = new Map<SaKey, ChannelId>();

  constructor(services: ChannelProgrammingServices) {
    this.#services = services;
  }

  channelOf(sa: SaKey): ChannelId | undefined {
    return this.#channelOfSa.get(sa);
  }

  /** Pairs that protect one of the channels. */
  sasOf(channels: ReadonlySet<ChannelId>): readonly SaKey[] {
    return [...this.#channelOfSa].flatMap(([sa, channel]) => (channels.has(channel) ? [sa] : []));
  }

  putPolicy(policy: ChannelPolicy): void {
    const inside = this.#services.inside(policy);
    if (inside === undefined) return;
    const { key, sa } = policy;
    this.#policies.add(key);
    this.#services.dispatch.dataPlane.putPolicy({ key, inside, ...(sa === undefined ? {} : { sa }) });
  }

  removePolicy(key: ChannelId): void {
    if (this.#policies.delete(key)) this.#services.dispatch.dataPlane.removePolicy(key);
  }

  /** @throws Error in words when the data plane cannot take it. */
  putSa({ udpEncapsulation: _, ...sa }: ChannelSa): void {
    const { dispatch, clock, sockets, onSaEvent, onTraffic } = this.#services;
    const { key, policy, path } = sa;
    if (!this.#policies.has(policy)) return;
    const ah = childProtocol(sa.outbound) === 'ah';
    const { address, port } = path.local;
    const socket = ah ? sockets.findAh(address) : sockets.find(address, port);
    if (socket === undefined) {
      throw new Error(ah ? `no socket is open for AH from ${address}` : `no socket is open for ESP from port ${port}`);
    }
    dispatch.dataPlane.putSa({ ...sa, socket });
    if (this.#channelOfSa.has(key)) return;
    this.#channelOfSa.set(key, policy);
    dispatch.ownSa(key, onSaEvent);
    dispatch.traffic(clock).watch(key, onTraffic);
  }

  removeSa(key: SaKey): void {
    if (!this.#channelOfSa.delete(key)) return;
    const { dispatch, clock } = this.#services;
    dispatch.disownSa(key);
    dispatch.traffic(clock).unwatch(key);
    dispatch.dataPlane.removeSa(key);
  }
}
