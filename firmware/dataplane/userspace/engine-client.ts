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
  PolicyKey,
  PolicySpec,
  SaKey,
  SaSpec,
  SessionKey,
  SessionSpec,
  SocketId,
  SocketSpec,
} from '../data-plane.ts';
import type { LineId, LineSessionSpec, LineSpec } from '../ppp-carrier.ts';
import {
  assertCarrier,
  assertKnown,
  assertLineSession,
  assertNew,
  assertPolicySelectors,
  assertPositiveInteger,
  assertSa,
  assertSaKeys,
  assertSession,
  assertSocket,
  wipeKeys,
  withOwnKeys,
} from './command-check.ts';
import type { EngineCommand, EngineMessage, EngineRequest, EngineResult, RequestId } from './engine-messages.ts';

/** A request without its number, which {@link EngineClient} gives it. */
type Unnumbered<Request> = Request extends EngineRequest ? Omit<Request, 'request'> : never;

interface PendingRequest {
  readonly resolve: (result: EngineResult) => void;
  readonly reject: (error: Error) => void;
}

/** What a session goes by. */
interface SessionPlace {
  readonly kind: 'socket' | 'line';
  readonly id: SocketId | LineId;
}

export abstract class EngineClient implements DataPlane {
  readonly #links: Links;
  readonly #sockets = new Map<SocketId, SocketSpec>();
  readonly #interfaces = new Map<InterfaceId, InterfaceSpec>();
  readonly #lines = new Set<LineId>();
  readonly #openingLines = new Set<LineId>();
  readonly #sessions = new Map<SessionKey, SessionPlace>();
  readonly #policies = new Map<PolicyKey, PolicySpec>();
  readonly #sas = new Map<SaKey, { readonly policy: PolicyKey; readonly spi: number }>();
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
    assertSocket(spec);
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
    this.#forgetSessions({ kind: 'socket', id });
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

  async openLine(spec: LineSpec): Promise<void> {
    assertNew('line', spec.id, this.#lines.has(spec.id) || this.#openingLines.has(spec.id));
    assertCarrier(spec.carrier);
    this.#openingLines.add(spec.id);
    try {
      await this.#request({ kind: 'open-line', spec });
      this.#lines.add(spec.id);
    } finally {
      this.#openingLines.delete(spec.id);
    }
  }

  async closeLine(id: LineId): Promise<void> {
    assertKnown('line', id, this.#lines.delete(id));
    this.#forgetSessions({ kind: 'line', id });
    await this.#request({ kind: 'close-line', id });
  }

  putSession(spec: SessionSpec | LineSessionSpec): void {
    if (this.#ended !== undefined) return;
    const place = placeOf(spec);
    const present = this.#sessions.get(spec.key);
    if ('line' in spec) {
      assertLineSession(spec, this.#lines.has(spec.line));
      for (const [key, other] of this.#sessions)
        assertNew('session on line', spec.line, key !== spec.key && isAt(other, place));
    } else assertSession(spec, this.#sockets.get(spec.socket));
    if (present !== undefined && (present.kind !== place.kind || (place.kind === 'line' && present.id !== place.id))) {
      throw new RangeError(`session ${spec.key} stays where it is as long as it lives`);
    }
    const { network } = spec;
    if (network !== undefined) {
      assertKnown('interface', network.interface, this.#interfaces.has(network.interface));
    }
    this.#sessions.set(spec.key, place);
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

  putPolicy(spec: PolicySpec): void {
    if (this.#ended !== undefined) return;
    assertPositiveInteger('policy', spec.key);
    const { inside, sa } = spec;
    if (inside.kind === 'ip') assertKnown('interface', inside.interface, this.#interfaces.has(inside.interface));
    else {
      const socket = this.#sockets.get(inside.socket);
      assertKnown('socket', inside.socket, socket !== undefined);
      if (socket?.purpose !== 'protected-l2tp') throw new RangeError(`socket ${inside.socket} is not protected`);
    }
    assertPolicySelectors(spec);
    if (sa !== undefined) assertKnown('SA of this policy', sa, this.#sas.get(sa)?.policy === spec.key);
    this.#policies.set(spec.key, spec);
    this.post({ kind: 'put-policy', spec });
  }

  removePolicy(key: PolicyKey): void {
    if (this.#ended !== undefined || !this.#policies.delete(key)) return;
    for (const [sa, { policy }] of this.#sas) if (policy === key) this.#sas.delete(sa);
    this.post({ kind: 'remove-policy', key });
  }

  putSa(spec: SaSpec): void {
    if (this.#ended !== undefined) return;
    assertSa(spec, this.#policies.get(spec.policy), this.#sockets.get(spec.socket));
    const known = this.#sas.get(spec.key);
    const { spi } = spec.inbound;
    if (known === undefined) {
      assertSaKeys(spec);
      for (const other of this.#sas.values()) assertNew('inbound SPI', spi, other.spi === spi);
    } else if (known.policy !== spec.policy || known.spi !== spi) {
      throw new RangeError(`SA ${spec.key} keeps its policy and its SPI as long as it lives`);
    }
    this.#sas.set(spec.key, { policy: spec.policy, spi });
    const own = withOwnKeys(spec);
    this.post({ kind: 'put-sa', spec: own });
    // It was copied, or is wiped already.
    wipeKeys(own);
  }

  removeSa(key: SaKey): void {
    if (this.#ended !== undefined || !this.#sas.delete(key)) return;
    this.post({ kind: 'remove-sa', key });
  }

  sendNatKeepalive(socket: SocketId, path: UdpPath): void {
    if (this.#ended !== undefined) return;
    assertKnown('socket', socket, this.#sockets.has(socket));
    this.post({ kind: 'send-nat-keepalive', socket, path });
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

  #forgetSessions(place: SessionPlace): void {
    for (const [key, other] of this.#sessions) if (isAt(other, place)) this.#sessions.delete(key);
  }

  #end(why: string): void {
    this.#ended ??= why;
    for (const { reject } of this.#pending.values()) reject(new Error(why));
    this.#pending.clear();
    this.#sockets.clear();
    this.#interfaces.clear();
    this.#lines.clear();
    this.#sessions.clear();
    this.#policies.clear();
    this.#sas.clear();
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

function placeOf(spec: SessionSpec | LineSessionSpec): SessionPlace {
  return 'line' in spec ? { kind: 'line', id: spec.line } : { kind: 'socket', id: spec.socket };
}

function isAt(a: SessionPlace, b: SessionPlace): boolean {
  return a.kind === b.kind && a.id === b.id;
}
