/**
 * The control thread's side of the engine: `DataPlane` in terms of commands and answers. It keeps just enough of what
 * it has programmed to refuse a mistake of the caller here, where there is a stack to blame.
 */
import { HalError } from '../../../hal/hal-error.ts';
import type { Links } from '../../../hal/links.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type {
  DataPlane,
  DataPlaneCounters,
  DataPlaneEvent,
  InterfaceId,
  InterfaceSpec,
  SessionKey,
  SessionSpec,
  SocketId,
  SocketSpec,
} from '../data-plane.ts';
import type { EngineCommand, EngineMessage, EngineRequest, EngineResult, RequestId } from './engine-messages.ts';
import { parseIpv4Prefix } from './ipv4-prefix-table.ts';

/** A request without its number, which {@link EngineClient} gives it. */
type Unnumbered<Request> = Request extends EngineRequest ? Omit<Request, 'request'> : never;

interface PendingRequest {
  readonly resolve: (result: EngineResult) => void;
  readonly reject: (error: Error) => void;
}

export abstract class EngineClient implements DataPlane {
  readonly #links: Links;
  readonly #sockets = new Map<SocketId, SocketSpec>();
  readonly #interfaces = new Map<InterfaceId, InterfaceSpec>();
  readonly #sessions = new Map<SessionKey, SocketId>();
  /** Ids that are being opened and not usable yet. */
  readonly #openingSockets = new Set<SocketId>();
  readonly #openingInterfaces = new Set<InterfaceId>();
  readonly #pending = new Map<RequestId, PendingRequest>();
  #lastRequest: RequestId = 0;
  #listener: (event: DataPlaneEvent) => void = () => {};
  /** Why nothing can be done any more, a sentence; undefined while the engine lives. */
  #ended: string | undefined;

  /** @param links brings TUNs up and sets their MTU, which the engine cannot. */
  constructor(links: Links) {
    this.#links = links;
  }

  /**
   * Resolves when commands can be posted; called before each request. @throws Error in words when there is no engine.
   */
  abstract start(): Promise<void>;

  /** Hands a command to the engine, which carries commands out in this order. */
  protected abstract post(command: EngineCommand): void;

  /** One event has been dealt with. */
  protected abstract acknowledge(): void;

  /** Ends the engine after the commands posted so far; resolves when nothing of it is left. */
  protected abstract shutDown(): Promise<void>;

  async openSocket(spec: SocketSpec): Promise<number> {
    assertNew('socket', spec.id, this.#sockets.has(spec.id) || this.#openingSockets.has(spec.id));
    this.#openingSockets.add(spec.id);
    try {
      const port = await this.#request({ kind: 'open-socket', spec });
      this.#sockets.set(spec.id, spec);
      return Number(port);
    } finally {
      this.#openingSockets.delete(spec.id);
    }
  }

  async closeSocket(id: SocketId): Promise<void> {
    assertKnown('socket', id, this.#sockets.delete(id));
    for (const [key, socket] of this.#sessions) if (socket === id) this.#sessions.delete(key);
    await this.#request({ kind: 'close-socket', id });
  }

  sendDatagram(socket: SocketId, path: UdpPath, bytes: Uint8Array): void {
    if (this.#ended !== undefined) return;
    assertKnown('socket', socket, this.#sockets.has(socket));
    this.post({ kind: 'send-datagram', socket, path, bytes: new Uint8Array(bytes) });
  }

  async addInterface(spec: InterfaceSpec): Promise<void> {
    assertNew('interface', spec.id, this.#interfaces.has(spec.id) || this.#openingInterfaces.has(spec.id));
    this.#openingInterfaces.add(spec.id);
    try {
      await this.#request({ kind: 'add-interface', spec });
      try {
        await this.#links.setMtu(spec.name, spec.mtu);
        await this.#links.setUp(spec.name, true);
      } catch (error) {
        // The failure of the removal would hide the cause; an engine that cannot remove has failed and said so.
        await this.#request({ kind: 'remove-interface', id: spec.id }).catch(() => undefined);
        throw error;
      }
      this.#interfaces.set(spec.id, spec);
    } finally {
      this.#openingInterfaces.delete(spec.id);
    }
  }

  async setInterfaceMtu(id: InterfaceId, mtu: number): Promise<void> {
    const spec = this.#interfaces.get(id);
    assertKnown('interface', id, spec !== undefined);
    if (spec !== undefined) await this.#links.setMtu(spec.name, mtu);
  }

  async removeInterface(id: InterfaceId): Promise<void> {
    assertKnown('interface', id, this.#interfaces.delete(id));
    await this.#request({ kind: 'remove-interface', id });
  }

  putSession(spec: SessionSpec): void {
    if (this.#ended !== undefined) return;
    assertPositiveInteger('session', spec.key);
    const socket = this.#sockets.get(spec.socket);
    assertKnown('socket', spec.socket, socket !== undefined);
    if (socket?.purpose !== 'l2tp') throw new RangeError(`socket ${spec.socket} is not for L2TP`);
    for (const id of [spec.localTunnelId, spec.localSessionId, spec.peerTunnelId, spec.peerSessionId]) {
      if (!Number.isInteger(id) || id < 1 || id > 0xffff) throw new RangeError(`${id} is no L2TP id (1..65535)`);
    }
    if (spec.network !== undefined) {
      assertKnown('interface', spec.network.interface, this.#interfaces.has(spec.network.interface));
      for (const prefix of [...spec.network.destinations, ...spec.network.sources]) parseIpv4Prefix(prefix);
    }
    this.#sessions.set(spec.key, spec.socket);
    this.post({ kind: 'put-session', spec });
  }

  removeSession(key: SessionKey): void {
    if (this.#ended !== undefined || !this.#sessions.delete(key)) return;
    this.post({ kind: 'remove-session', key });
  }

  sendPppFrame(session: SessionKey, frame: Uint8Array): void {
    if (this.#ended !== undefined) return;
    assertKnown('session', session, this.#sessions.has(session));
    if (frame.length < 2) throw new RangeError('a PPP frame begins with a protocol number of two octets');
    this.post({ kind: 'send-ppp-frame', session, frame: new Uint8Array(frame) });
  }

  async counters(): Promise<DataPlaneCounters> {
    const result = await this.#request({ kind: 'counters' });
    if (typeof result !== 'object') throw new Error('The engine answered a request for counters with something else.');
    return result;
  }

  onEvent(listener: (event: DataPlaneEvent) => void): void {
    this.#listener = listener;
  }

  async close(): Promise<void> {
    this.#end('The data plane is closed.');
    await this.shutDown();
  }

  /** Takes in an answer or an event of the engine. */
  protected receive(message: EngineMessage): void {
    if (message.kind === 'event') {
      this.acknowledge();
      if (this.#ended === undefined) this.#listener(message.event);
      return;
    }
    const pending = this.#pending.get(message.request);
    this.#pending.delete(message.request);
    if (message.kind === 'done') pending?.resolve(message.result);
    else pending?.reject(new HalError(message.message, message.code));
  }

  /** The engine is gone, unasked. Reported once; harmless after {@link close}. */
  protected fail(reason: string): void {
    if (this.#ended !== undefined) return;
    this.#end(`The data plane's engine has failed (${reason}): it must be started anew.`);
    this.#listener({ kind: 'engine-failed', reason });
  }

  #end(why: string): void {
    this.#ended ??= why;
    for (const { reject } of this.#pending.values()) reject(new Error(why));
    this.#pending.clear();
    this.#sockets.clear();
    this.#interfaces.clear();
    this.#sessions.clear();
  }

  async #request(request: Unnumbered<EngineRequest>): Promise<EngineResult> {
    this.#assertNotEnded();
    await this.start();
    this.#assertNotEnded();
    const number = ++this.#lastRequest;
    return new Promise((resolve, reject) => {
      this.#pending.set(number, { resolve, reject });
      this.post({ ...request, request: number });
    });
  }

  #assertNotEnded(): void {
    if (this.#ended !== undefined) throw new Error(this.#ended);
  }
}

function assertPositiveInteger(what: string, id: number): void {
  if (!Number.isSafeInteger(id) || id < 1) throw new RangeError(`${id} is no ${what} id: a positive integer is wanted`);
}

function assertNew(what: string, id: number, known: boolean): void {
  assertPositiveInteger(what, id);
  if (known) throw new RangeError(`${what} ${id} is there already`);
}

function assertKnown(what: string, id: number, known: boolean): void {
  if (!known) throw new RangeError(`there is no ${what} ${id}`);
}
