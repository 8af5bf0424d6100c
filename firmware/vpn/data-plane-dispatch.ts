import type { Clock } from '../../hal/clock.ts';
import type { DataPlane, DataPlaneEvent, InterfaceId, SaKey, SessionKey, SocketId } from '../dataplane/data-plane.ts';
import type { LineId } from '../dataplane/ppp-carrier.ts';
import { TrafficWatch } from './traffic-watch.ts';

export type SocketEvent = Extract<DataPlaneEvent, { kind: 'datagram' | 'path-error' | 'unknown-spi' }>;
export type LineEvent = Extract<DataPlaneEvent, { kind: 'carrier-lost' | 'stray-session' }>;
export type SaEvent = Extract<DataPlaneEvent, { kind: 'sa-received' | 'sa-lifetime' | 'sa-moved' }>;

/** Hands each event of the data plane to whoever owns the socket, session or SA it belongs to, and gives out their numbers. */
export class DataPlaneDispatch {
  readonly dataPlane: DataPlane;
  readonly #sockets = new Map<SocketId, (event: SocketEvent) => void>();
  readonly #sessions = new Map<SessionKey, (frame: Uint8Array) => void>();
  readonly #lines = new Map<LineId, (event: LineEvent) => void>();
  readonly #interfaces = new Map<InterfaceId, () => void>();
  readonly #sas = new Map<SaKey, (event: SaEvent) => void>();
  #traffic: TrafficWatch | undefined;
  #lastId = 0;

  /** @param onFailure the engine is gone; nothing works any more. */
  constructor(dataPlane: DataPlane, onFailure: (reason: string) => void) {
    this.dataPlane = dataPlane;
    dataPlane.onEvent((event) => {
      switch (event.kind) {
        case 'engine-failed':
          onFailure(event.reason);
          return;
        case 'ppp-frame':
          this.#sessions.get(event.session)?.(event.frame);
          return;
        case 'carrier-lost':
        case 'stray-session':
          this.#lines.get(event.line)?.(event);
          return;
        case 'sa-received':
        case 'sa-lifetime':
        case 'sa-moved':
          this.#sas.get(event.sa)?.(event);
          return;
        case 'traffic':
          this.#interfaces.get(event.interface)?.();
          return;
        default:
          this.#sockets.get(event.socket)?.(event);
      }
    });
  }

  /** A number no socket, line, interface, session, policy or SA has had before. */
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

  ownLine(id: LineId, handler: (event: LineEvent) => void): void {
    this.#lines.set(id, handler);
  }

  disownLine(id: LineId): void {
    this.#lines.delete(id);
  }

  /** @param handler called when packets wait on that interface, and did not before. */
  ownInterface(id: InterfaceId, handler: () => void): void {
    this.#interfaces.set(id, handler);
  }

  disownInterface(id: InterfaceId): void {
    this.#interfaces.delete(id);
  }

  ownSa(key: SaKey, handler: (event: SaEvent) => void): void {
    this.#sas.set(key, handler);
  }

  disownSa(key: SaKey): void {
    this.#sas.delete(key);
  }
}
