import { TaskQueue } from '../../config/task-queue.ts';
import type { SocketId, SocketPurpose } from '../../dataplane/data-plane.ts';
import type { UdpEndpoint, UdpPath } from '../../protocol/udp-path.ts';
import type { DataPlaneDispatch } from '../data-plane-dispatch.ts';

/** Where an outer socket is bound. */
export interface OuterSocketPlace {
  /** `protected-l2tp`: inside IPsec alone. Then `port` is the inner one, and of `address` only the family counts. */
  readonly purpose: Extract<SocketPurpose, 'l2tp' | 'protected-l2tp'>;
  /** Address to bind; the unspecified one for all. */
  readonly address: string;
  /** 0: ephemeral. */
  readonly port: number;
  /** SO_MARK. */
  readonly mark: number;
}

export interface OuterSocketEvents {
  readonly datagram: (bytes: Uint8Array, path: UdpPath) => void;
  readonly pathError: (remote: UdpEndpoint, code: string) => void;
}

/** The one UDP socket of a client or server: opened and closed in turn, never used while it is neither. */
export class OuterSocket {
  readonly #dispatch: DataPlaneDispatch;
  readonly #events: OuterSocketEvents;
  readonly #turns = new TaskQueue();
  #open: { readonly id: SocketId; readonly family: 4 | 6 } | undefined;

  constructor(dispatch: DataPlaneDispatch, events: OuterSocketEvents) {
    this.#dispatch = dispatch;
    this.#events = events;
  }

  get id(): SocketId | undefined {
    return this.#open?.id;
  }

  get family(): 4 | 6 | undefined {
    return this.#open?.family;
  }

  /**
   * Opens and binds, unless a socket of that family is open; one of the other family is closed first.
   * @param wanted asked when the turn comes: whoever asked for the socket may have lost interest.
   * @throws Error in words when it cannot be bound.
   */
  open(place: OuterSocketPlace, wanted: () => boolean): Promise<void> {
    return this.#turns.run(async () => {
      const family = place.address.includes(':') ? 6 : 4;
      if (!wanted() || this.#open?.family === family) return;
      await this.#close();
      const { dataPlane } = this.#dispatch;
      const id = this.#dispatch.nextId();
      await dataPlane.openSocket({ id, family, ...place });
      this.#open = { id, family };
      this.#dispatch.ownSocket(id, (event) => {
        if (event.kind === 'datagram') this.#events.datagram(event.bytes, event.path);
        else if (event.kind === 'path-error') this.#events.pathError(event.remote, event.code);
      });
    });
  }

  /** Waits for an opening that is under way, and undoes it. Never rejects; harmless when nothing is open. */
  close(): Promise<void> {
    return this.#turns.run(() => this.#close());
  }

  /** Dropped, as the network may, while no socket is open. */
  send(path: UdpPath, datagram: Uint8Array): void {
    if (this.#open) this.#dispatch.dataPlane.sendDatagram(this.#open.id, path, datagram);
  }

  async #close(): Promise<void> {
    const open = this.#open;
    if (!open) return;
    // From now on nothing is sent: the data plane refuses a socket that is being closed.
    this.#open = undefined;
    this.#dispatch.disownSocket(open.id);
    // A data plane that cannot close a socket has none any more.
    await this.#dispatch.dataPlane.closeSocket(open.id).catch(() => undefined);
  }
}
