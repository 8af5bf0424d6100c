import type { Failure, Instant } from '../../protocol/machine.ts';
import type { DataPlaneDispatch } from '../data-plane-dispatch.ts';
import { errorText, type Step } from '../steps.ts';
import type { ChannelId, ChannelListener, ChannelRequest } from './channel.ts';
import { familyOf, type IkeSockets } from './ike-sockets.ts';
import { noRoute, noSockets } from './ipsec-failures.ts';
import type { IpsecMachine } from './ipsec-machine.ts';
import type { SourceAddress } from './local-addresses.ts';

/** A channel that this side calls, or has called. */
export interface Call {
  readonly connection: string;
  /** Default `esp`. */
  readonly protocol?: 'esp' | 'ah';
  /** In transport mode. */
  readonly request?: ChannelRequest;
  readonly listener?: ChannelListener;
  heard: boolean;
  udpEncapsulation: boolean;
}

export interface OutgoingCallsServices {
  readonly dispatch: DataPlaneDispatch;
  readonly sockets: IkeSockets;
  readonly machine: IpsecMachine;
  /** Gives the machine an input. */
  readonly run: (input: (now: Instant) => void) => void;
  readonly sourceAddress: SourceAddress;
  /** Sockets are open, whether they are still wanted or not. */
  readonly onOpened: () => void;
  readonly onStep: (connection: string, step: Step) => void;
}

/** Calls of this side, from the moment at which somebody wants them: sockets and a local address come first. */
export class OutgoingCalls {
  readonly #services: OutgoingCallsServices;
  readonly #calls = new Map<ChannelId, Call>();

  constructor(services: OutgoingCallsServices) {
    this.#services = services;
  }

  get size(): number {
    return this.#calls.size;
  }

  get(id: ChannelId | undefined): Call | undefined {
    return id === undefined ? undefined : this.#calls.get(id);
  }

  /** Nobody wants it any more. */
  delete(id: ChannelId): void {
    this.#calls.delete(id);
  }

  /** Nothing of it is told before this returns. */
  begin(call: Call, remoteAddress: string): ChannelId {
    const id = this.#services.dispatch.nextId();
    this.#calls.set(id, call);
    void this.#begin(id, call, remoteAddress);
    return id;
  }

  async #begin(id: ChannelId, call: Call, remoteAddress: string): Promise<void> {
    const { sockets, sourceAddress, onOpened } = this.#services;
    try {
      const ephemeral = await sockets.openForCalling(familyOf(remoteAddress));
      if (call.protocol === 'ah') await sockets.openAh(familyOf(remoteAddress));
      onOpened();
      const localAddress = await sourceAddress(remoteAddress, call.connection);
      if (this.#calls.get(id) !== call) return;
      if (localAddress === undefined) this.#failed(id, call, noRoute(remoteAddress));
      else this.#dial(id, call, remoteAddress, localAddress, ephemeral);
    } catch (error) {
      this.#failed(id, call, noSockets(errorText(error)));
    }
  }

  #dial(
    id: ChannelId,
    { connection, request }: Call,
    remoteAddress: string,
    localAddress: string,
    ephemeral: { readonly reason: string; readonly ephemeralPort: number } | undefined,
  ): void {
    const { machine, run, onStep } = this.#services;
    if (ephemeral !== undefined) onStep(connection, { step: 'socket', detail: ephemeral.reason });
    const from = ephemeral === undefined ? {} : { ephemeralPort: ephemeral.ephemeralPort };
    const { localPort: local = 0, remotePort: remote = 0 } = request?.inside ?? {};
    const ports = request === undefined ? {} : { ports: { local, remote } };
    run((now) => machine.dial(now, id, { connection, remoteAddress, localAddress, ...from, ...ports }));
  }

  #failed(id: ChannelId, call: Call, failure: Failure): void {
    const { machine, run } = this.#services;
    if (this.#calls.get(id) === call) run((now) => machine.cannotDial(now, id, call.connection, failure));
  }
}
