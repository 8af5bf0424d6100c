import type { Clock } from '../../hal/clock.ts';
import type { DataPlane, DataPlaneEvent, SessionKey, SocketId } from '../dataplane/data-plane.ts';
import { TrafficWatch } from './traffic-watch.ts';

type SocketEvent = Extract<DataPlaneEvent, { kind: 'datagram' | 'path-error' }>;

/** Hands each event of the data plane to whoever owns the socket or session it belongs to, and gives out their numbers. */
export class DataPlaneDispatch {
  readonly dataPlane: DataPlane;
  readonly #sockets = new Map<SocketId, (event: SocketEvent) => void>();
  readonly #sessions = new Map<SessionKey, (frame: Uint8Array) => void>();
  #traffic: TrafficWatch | undefined;
  #lastId = 0;

  /** @param onFailure the engine is gone; nothing works any more. */
  constructor(dataPlane: DataPlane, onFailure: (reason: string) => void) {
    this.dataPlane = dataPlane;
    dataPlane.onEvent((event) => {
      if (event.kind === 'engine-failed') onFailure(event.reason);
      else if (event.kind === 'ppp-frame') this.#sessions.get(event.session)?.(event.frame);
      else this.#sockets.get(event.socket)?.(event);
    });
  }

  /** A number no socket, interface or session has had before. */
  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** The one watch over incoming user packets, for all sessions of this data plane. */
  traffic(clock: Clock): TrafficWatch {
    this.#traffic ??= new TrafficWatch(this.dataPlane, clock);
    return this.#traffic;
  }

  ownSocket(id: SocketId, handler: (event: SocketEvent) => void): void {
    this.#sockets.set(id, handler);
  }

  disownSocket(id: SocketId): void {
    this.#sockets.delete(id);
  }

  ownSession(key: SessionKey, handler: (frame: Uint8Array) => void): void {
    this.#sessions.set(key, handler);
  }

  disownSession(key: SessionKey): void {
    this.#sessions.delete(key);
  }
}
