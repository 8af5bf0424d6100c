import { TaskQueue } from '../../config/task-queue.ts';
import type { SocketId, SocketPurpose } from '../../dataplane/data-plane.ts';
import { IKE_PORT, NAT_PORT } from '../../protocol/ike/nat.ts';
import type { DataPlaneDispatch, SocketEvent } from '../data-plane-dispatch.ts';
import { errorText } from '../steps.ts';

export type Family = 4 | 6;

/** Raw ESP has no ports, nor has AH. */
const ESP_PORT = 0;
const AH_PORT = 0;

const ANY = { 4: '0.0.0.0', 6: '::' } as const;

/** Port 500 or 4500 is taken, for this reason; one can call from another port all the same. */
export interface EphemeralSocket {
  readonly reason: string;
  readonly ephemeralPort: number;
}

/** IPv4 or IPv6. */
export function familyOf(address: string): Family {
  return address.includes(':') ? 6 : 4;
}

/** The sockets of IKE, ESP and AH, known by family and local port; raw ESP is port 0. Opened and closed in turn. */
export class IkeSockets {
  readonly #dispatch: DataPlaneDispatch;
  readonly #mark: number;
  readonly #onEvent: (event: SocketEvent) => void;
  readonly #turns = new TaskQueue();
  readonly #open = new Map<string, SocketId>();
  /** Only of those who have asked for it. */
  #ah: SocketId | undefined;
  /** Where port 500 or 4500 was taken. */
  readonly #ephemeral = new Map<Family, number>();

  /** @param mark SO_MARK. */
  constructor(dispatch: DataPlaneDispatch, mark: number, onEvent: (event: SocketEvent) => void) {
    this.#dispatch = dispatch;
    this.#mark = mark;
    this.#onEvent = onEvent;
  }

  /** Opens what is not open yet: what calls are taken on. @throws Error in words when a port is taken. */
  open(family: Family): Promise<void> {
    return this.#turns.run(() => this.#openAll(family));
  }

  /**
   * As {@link open}, but one socket on whatever port is free is enough, since that is enough for calling.
   * @returns undefined when all are open.
   * @throws Error in words when nothing can be opened.
   */
  openForCalling(family: Family): Promise<EphemeralSocket | undefined> {
    return this.#turns.run(async () => {
      try {
        await this.#openAll(family);
        return undefined;
      } catch (error) {
        const known = this.#ephemeral.get(family);
        const ephemeralPort = known ?? (await this.#openPort(family, 'udp-encapsulation', 0));
        this.#ephemeral.set(family, ephemeralPort);
        return { reason: errorText(error), ephemeralPort };
      }
    });
  }

  /** Opens what AH goes by, beside the others. @throws Error in words when that cannot be. */
  openAh(family: Family): Promise<void> {
    return this.#turns.run(async () => {
      if (family === 6) throw new Error('AH goes over IPv4 alone: give the peer by an IPv4 address, or use ESP');
      this.#ah ??= await this.#openSocket(family, 'ah', AH_PORT).then(({ id }) => id);
    });
  }

  /** As {@link find}, of what AH goes by. */
  findAh(address: string): SocketId | undefined {
    return familyOf(address) === 4 ? this.#ah : undefined;
  }

  /** Never rejects; harmless when nothing is open. */
  close(): Promise<void> {
    return this.#turns.run(async () => {
      for (const key of [...this.#open.keys()]) await this.#close(key);
      const ah = this.#ah;
      this.#ah = undefined;
      if (ah !== undefined) await this.#closeSocket(ah);
      this.#ephemeral.clear();
    });
  }

  get isOpen(): boolean {
    return this.#open.size > 0;
  }

  /** The socket with that local port; `undefined` when there is none. @param address of this side. */
  find(address: string, port: number): SocketId | undefined {
    return this.#open.get(keyOf(familyOf(address), port));
  }

  async #openAll(family: Family): Promise<void> {
    const ports = [
      ['ike', IKE_PORT],
      ['udp-encapsulation', NAT_PORT],
      ['esp', ESP_PORT],
    ] as const;
    try {
      for (const [purpose, port] of ports) {
        if (this.find(ANY[family], port) === undefined) await this.#openPort(family, purpose, port);
      }
    } catch (error) {
      // One without the others would take half of what comes.
      for (const [, port] of ports) await this.#close(keyOf(family, port));
      throw error;
    }
  }

  async #openPort(family: Family, purpose: SocketPurpose, port: number): Promise<number> {
    const { id, bound } = await this.#openSocket(family, purpose, port);
    this.#open.set(keyOf(family, bound), id);
    return bound;
  }

  async #openSocket(
    family: Family,
    purpose: SocketPurpose,
    port: number,
  ): Promise<{ readonly id: SocketId; readonly bound: number }> {
    const { dataPlane } = this.#dispatch;
    const id = this.#dispatch.nextId();
    const address = ANY[family];
    this.#dispatch.ownSocket(id, this.#onEvent);
    try {
      return { id, bound: await dataPlane.openSocket({ id, purpose, family, address, port, mark: this.#mark }) };
    } catch (error) {
      this.#dispatch.disownSocket(id);
      throw error;
    }
  }

  async #close(key: string): Promise<void> {
    const id = this.#open.get(key);
    if (id === undefined) return;
    // From now on nothing is sent: the data plane refuses a socket that is being closed.
    this.#open.delete(key);
    await this.#closeSocket(id);
  }

  async #closeSocket(id: SocketId): Promise<void> {
    this.#dispatch.disownSocket(id);
    // A data plane that cannot close a socket has none any more.
    await this.#dispatch.dataPlane.closeSocket(id).catch(() => undefined);
  }
}

function keyOf(family: Family, port: number): string {
  return `${family} ${port}`;
}
