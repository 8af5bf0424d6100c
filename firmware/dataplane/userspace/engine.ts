/**
 * The user-space engine: sockets, TUNs and the loop between them. It knows no thread: `worker.ts` runs it over Linux,
 * `local-data-plane.ts` in the control thread over a simulated machine.
 *
 * The life of a packet **from the branch to the peer**:
 * 1. The kernel routes it to the TUN. The poller reports the TUN, {@link UserspaceEngine.step} reads the packet into
 *    the packet buffer, with free octets around it (`packet-room.ts`), so that no header ever moves the packet.
 * 2. `protocol/esp/ip-packet.ts` checks the IP header. `ipv4-prefix-table.ts` (IPv6: `ipv6-prefix-table.ts`) finds the session by the
 *    longest prefix that holds the destination, or `policy-table.ts` the first policy that covers the packet. Neither: `noRoute`.
 * 3. Larger than the session or policy says, or than what `path-mtu.ts` knows of the way (`oversize.ts`): an IPv4
 *    packet that may be fragmented goes on as fragments (`ipv4-fragments.ts`); of any other one the sender is told by
 *    ICMP (`icmp-too-big.ts`), and it is counted as `tooBig`.
 * 4. `mss-clamp.ts` lowers the MSS of a TCP SYN to what fits.
 * 5. Of a session (`ppp-path.ts`, `l2tp-sender.ts`): the PPP header, compressed as far as the peer agreed, and the L2TP header, with
 *    length and sequence numbers as the session wants them, are written backwards into the free octets. In clear, step
 *    7 follows.
 * 6. Under a policy (`esp-path.ts`; a session's is its bearer): without an SA pair the packet ends here (`noSa`). L2TP
 *    gets the UDP header that it has inside ESP (`inner-udp.ts`). The pair's selectors must allow it (`selectors`);
 *    then sequence number, IV, padding, encryption and ICV are put around it, where it lies; with AH the IP header, too.
 * 7. One send from the address that the session or pair uses to its peer. A refusal is counted (`sendFailed`) and
 *    reported as a `path-error` when it tells of the path. What ESP goes by never fragments: "too big" is noted as the
 *    path's MTU.
 *
 * **From the peer to the branch**:
 * 1. The poller reports the socket; a datagram is read into the datagram buffer with its two addresses.
 * 2. On port 4500, IKE is told from ESP and keepalives. ESP, or AH with its IP header, finds its pair by the SPI. Where
 *    there is none the control thread gets a hint, and the packet waits a moment for it (`early-packets.ts`;
 *    `unknownSpi`). `protocol/esp/receiving-sa.ts` has the order: replay window, ICV, window update, lifetime,
 *    selectors. From the newest authentic packet the engine learns where the peer is now, if the pair follows it.
 * 3. What an IP policy's pair opened is held against the policy (`wrongInside`), and step 8 follows. What an L2TP
 *    policy's pair opened must be UDP to the protected socket's port (`wrongInside`); it is an L2TP message like one
 *    that came in clear, but for its bearer.
 * 4. T bit set: a control message, handed to the control thread. Otherwise the session is found by socket, tunnel id
 *    and session id, and must have that bearer, or in clear the sender's address (`unknownSession`, `wrongPeer`).
 * 5. With sequence numbers (`data-sequence.ts`), what comes early waits a moment for what it has overtaken, and what
 *    has been here or comes too late is dropped (`duplicate`, `late`).
 * 6. The PPP header is read in any of its four forms. Whatever is not IP, IPv6 while that is not open, and router
 *    discovery (RFC 4861) go to the control thread as bare frames, as many a second as is reasonable (`controlRate`).
 * 7. IP passes while the network layer is open (`networkClosed`) and the inner source is one of the peer's
 *    (`wrongSource`).
 * 8. A SYN has its MSS clamped, and the packet is written to the TUN where it lies.
 *
 * PPP on a **line** (`line-desk.ts`) has no step 5 and 6 outwards and no step 2 to 5 inwards: its frames go by PPPoE
 * (`pppoe-carrier.ts`), or by a serial line, where they are coded, and wait while it takes none (`serial-carrier.ts`).
 *
 * Handles are served in turns of {@link BATCH}, so that neither a flood on one socket nor a busy TUN starves the
 * others, and commands are taken between turns. What waits for the control thread is bounded, in shares
 * (`control-queue.ts`).
 */
import type { EthernetSocketFactory } from '../../../hal/ethernet-socket.ts';
import { HalError } from '../../../hal/hal-error.ts';
import type { OctetLineFactory } from '../../../hal/octet-line.ts';
import type { PacketCipherFactory } from '../../../hal/packet-cipher.ts';
import type { Poller } from '../../../hal/poller.ts';
import type { Tun, TunFactory } from '../../../hal/tun.ts';
import type { DatagramInfo, UdpSocket, UdpSocketFactory } from '../../../hal/udp-socket.ts';
import type { Instant, RandomSource } from '../../protocol/machine.ts';
import type { UdpEndpoint, UdpPath } from '../../protocol/udp-path.ts';
import type { DataPlaneEvent, InterfaceId, InterfaceSpec, SocketId, SocketSpec } from '../data-plane.ts';
import { wipeKeys } from './command-check.ts';
import { ControlQueue, type Standing } from './control-queue.ts';
import type { EngineCommand, EngineMessage, EngineRequest, EngineResult } from './engine-messages.ts';
import { Forwarder } from './forwarder.ts';
import { type ForwarderPorts, NO_SOCKET } from './forwarder-ports.ts';
import { LineDesk } from './line-desk.ts';
import { HEADROOM, MAX_PACKET, TAILROOM } from './packet-room.ts';
import { PathErrorLimiter } from './path-error-limiter.ts';

/**
 * Packets taken from one handle before the next has its turn: long enough to be cheap, under a millisecond of work.
 */
const BATCH = 64;
/** Reports taken from one error queue in one turn. */
const ERROR_BATCH = 16;

/** Refusals of a send that say nothing of the path: a full queue here. */
const OWN_TROUBLE: ReadonlySet<string> = new Set(['EAGAIN', 'ENOBUFS', 'ENOMEM', 'EINTR']);

/** Of a datagram that is larger than its path takes. */
const TOO_BIG = 'EMSGSIZE';

export interface EngineOptions {
  readonly tuns: TunFactory;
  readonly sockets: UdpSocketFactory;
  /** Absent: no PPPoE. */
  readonly ethernet?: EthernetSocketFactory;
  /** Absent: no serial lines. */
  readonly octetLines?: OctetLineFactory;
  readonly ciphers: PacketCipherFactory;
  /** For the IVs of CBC. */
  readonly random: RandomSource;
  /** Used by this engine alone, and closed by its owner: another thread may still be about to wake it. */
  readonly poller: Poller;
  readonly now: () => Instant;
  /** How many events the control thread has dealt with so far, modulo 2^32. */
  readonly acknowledged: () => number;
  /** Receives answers and events, in order. Octets in them belong to the receiver. */
  readonly emit: (message: EngineMessage) => void;
}

/** What stands behind a handle of the poller. */
type Source =
  | { readonly kind: 'socket'; readonly id: SocketId; readonly open: OpenSocket }
  | { readonly kind: 'tun'; readonly id: InterfaceId; readonly tun: Tun };

interface OpenSocket {
  readonly socket: UdpSocket;
  /** ESP or AH goes by it, which is never fragmented. */
  readonly carriesEsp: boolean;
}

export class UserspaceEngine {
  readonly #options: EngineOptions;
  readonly #forwarder: Forwarder;
  readonly #lines: LineDesk;
  readonly #sources = new Map<number, Source>();
  readonly #sockets = new Map<SocketId, OpenSocket>();
  readonly #tuns = new Map<InterfaceId, Tun>();
  readonly #pathErrors = new PathErrorLimiter();
  readonly #datagram = new Uint8Array(MAX_PACKET);
  readonly #packet = new Uint8Array(HEADROOM + MAX_PACKET + TAILROOM);
  readonly #packetSlot = this.#packet.subarray(HEADROOM, HEADROOM + MAX_PACKET);
  readonly #info: DatagramInfo = {
    offset: 0,
    length: 0,
    remoteAddress: '',
    remotePort: 0,
    localAddress: '',
    interfaceIndex: 0,
    trafficClass: 0,
    truncated: false,
  };
  readonly #control: ControlQueue;
  #closed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#control = new ControlQueue(options.acknowledged);
    const ports: ForwarderPorts = {
      send: (socket, datagram, remote, fromAddress, mayFragment = false, trafficClass = 0) =>
        this.#send(socket, datagram, remote, fromAddress, mayFragment, trafficClass),
      sendByLine: (line, bytes, start, end, control) => this.#lines.send(line, bytes, start, end, control),
      deliver: (to, packet) => this.#tuns.get(to)?.write(packet) ?? false,
      controlRoom: (standing, socket) => this.#control.hasRoom(standing, socket),
      event: (event, standing) => this.#event(event, standing),
    };
    this.#forwarder = new Forwarder(ports, options.ciphers, options.random);
    const { controlRoom, event } = ports;
    this.#lines = new LineDesk({ ...options, forwarder: this.#forwarder, controlRoom, event });
  }

  /** Carries out one command. What the machine refuses is answered, never thrown. */
  execute(command: EngineCommand): void {
    if (this.#closed) return;
    switch (command.kind) {
      case 'send-datagram':
        this.#sendDatagram(command.socket, command.path, command.bytes);
        return;
      case 'put-session':
        if ('line' in command.spec) this.#lines.program(command.spec);
        this.#forwarder.putSession(command.spec, this.#options.now());
        return;
      case 'remove-session':
        this.#forwarder.table.removeSession(command.key);
        return;
      case 'send-ppp-frame':
        this.#forwarder.sendPppFrame(command.session, command.frame, this.#options.now());
        return;
      case 'put-policy':
        this.#forwarder.putPolicy(command.spec, this.#options.now());
        return;
      case 'remove-policy':
        this.#forwarder.removePolicy(command.key);
        return;
      case 'put-sa':
        this.#forwarder.putSa(command.spec, this.#options.now());
        wipeKeys(command.spec);
        return;
      case 'remove-sa':
        this.#forwarder.sas.remove(command.key);
        return;
      case 'send-nat-keepalive':
        this.#forwarder.sendNatKeepalive(command.socket, command.path);
        return;
      default:
        this.#answer(command);
    }
  }

  /**
   * Waits until something is ready and serves every ready handle once, {@link BATCH} packets at most each.
   * @param timeoutMs for the wait: 0 not at all, -1 for ever (until the poller is woken).
   * @param beforeServing called between the wait and the work: the place to take commands in.
   * @returns whether any handle was ready.
   * @throws HalError when a device is gone for good; the engine is of no use then.
   */
  step(timeoutMs: number, beforeServing?: () => void): boolean {
    const ready = this.#options.poller.wait(this.#untilDue(timeoutMs));
    beforeServing?.();
    if (this.#closed) return false;
    const now = this.#options.now();
    for (const handle of ready) {
      const source = this.#sources.get(handle);
      if (source?.kind === 'socket') this.#serveSocket(source.id, source.open, now);
      else if (source?.kind === 'tun') this.#serveTun(source.id, source.tun, now);
      else this.#lines.serve(handle, now);
    }
    this.#forwarder.tick(now);
    return ready.length > 0;
  }

  /** When {@link step} has something to do although no handle is ready. */
  nextDeadline(): Instant | undefined {
    return this.#forwarder.nextDeadline();
  }

  /** The longest wait, whole milliseconds, that ends no later than the caller wants and when something is due. */
  #untilDue(timeoutMs: number): number {
    const due = timeoutMs === 0 ? undefined : this.#forwarder.nextDeadline();
    if (due === undefined) return timeoutMs;
    const left = Math.max(0, Math.ceil(due - this.#options.now()));
    return timeoutMs < 0 ? left : Math.min(left, timeoutMs);
  }

  /** Closes every socket and every TUN and wipes every key; commands have no effect any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#lines.closeAll();
    for (const handle of this.#sources.keys()) this.#options.poller.remove(handle);
    for (const { socket } of this.#sockets.values()) socket.close();
    for (const tun of this.#tuns.values()) tun.close();
    this.#forwarder.sas.clear();
    this.#sources.clear();
    this.#sockets.clear();
    this.#tuns.clear();
  }

  #answer(request: EngineRequest): void {
    try {
      this.#options.emit({ kind: 'done', request: request.request, result: this.#perform(request) });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const code = error instanceof HalError ? error.code : '';
      this.#options.emit({ kind: 'refused', request: request.request, message, code });
    }
  }

  #perform(request: EngineRequest): EngineResult {
    switch (request.kind) {
      case 'open-socket':
        return this.#openSocket(request.spec);
      case 'close-socket':
        this.#closeSocket(request.id);
        return undefined;
      case 'add-interface':
        this.#addInterface(request.spec);
        return undefined;
      case 'remove-interface':
        this.#removeInterface(request.id);
        return undefined;
      case 'open-line':
        this.#lines.open(request.spec);
        return undefined;
      case 'close-line':
        this.#lines.close(request.id);
        return undefined;
      case 'counters':
        return this.#forwarder.counters();
    }
  }

  #openSocket(spec: SocketSpec): number {
    const { id, purpose, family, address, port, mark, device } = spec;
    if (purpose === 'protected-l2tp') {
      this.#forwarder.table.addSocket(spec);
      return port;
    }
    const raw = purpose === 'esp' || purpose === 'ah' ? purpose : undefined;
    const carriesEsp = purpose === 'udp-encapsulation' || raw !== undefined;
    const socket = this.#options.sockets.open({
      family,
      address,
      port,
      mark,
      ...(device === undefined ? {} : { device }),
      ...(raw === undefined ? {} : { protocol: raw }),
      ...(carriesEsp ? { dontFragment: true } : {}),
    });
    const open = { socket, carriesEsp };
    const localPort = raw === undefined ? socket.localPort : 0;
    this.#sockets.set(id, open);
    this.#forwarder.table.addSocket({ ...spec, port: localPort });
    this.#watch(socket.handle, { kind: 'socket', id, open });
    return localPort;
  }

  #closeSocket(id: SocketId): void {
    this.#forwarder.table.removeSocket(id);
    const open = this.#sockets.get(id);
    if (open === undefined) return;
    this.#sockets.delete(id);
    this.#unwatch(open.socket.handle);
    open.socket.close();
  }

  #addInterface(spec: InterfaceSpec): void {
    const tun = this.#options.tuns.open(spec.name);
    this.#tuns.set(spec.id, tun);
    this.#forwarder.table.addInterface(spec);
    this.#watch(tun.handle, { kind: 'tun', id: spec.id, tun });
  }

  #removeInterface(id: InterfaceId): void {
    const tun = this.#tuns.get(id);
    if (tun === undefined) return;
    this.#forwarder.table.removeInterface(id);
    this.#tuns.delete(id);
    this.#unwatch(tun.handle);
    tun.close();
  }

  #watch(handle: number, source: Source): void {
    this.#sources.set(handle, source);
    this.#options.poller.add(handle);
  }

  #unwatch(handle: number): void {
    this.#sources.delete(handle);
    this.#options.poller.remove(handle);
  }

  #serveSocket(id: SocketId, open: OpenSocket, now: Instant): void {
    for (let count = 0; count < BATCH; count++) {
      if (!open.socket.receive(this.#datagram, this.#info)) break;
      this.#forwarder.receiveDatagram(id, this.#datagram, this.#info, now);
    }
    // A flood must not keep them waiting: they lie in the receive buffer, too.
    this.#readErrors(id, open, now);
  }

  #serveTun(id: InterfaceId, tun: Tun, now: Instant): void {
    for (let count = 0; count < BATCH; count++) {
      const length = tun.read(this.#packetSlot);
      if (length < 0) return;
      this.#forwarder.receivePacket(id, this.#packet, HEADROOM, length, now);
    }
  }

  #readErrors(id: SocketId, { socket, carriesEsp }: OpenSocket, now: Instant): void {
    for (let count = 0; count < ERROR_BATCH; count++) {
      const report = socket.readError();
      if (report === undefined) return;
      const { code, mtu, remoteAddress, remotePort } = report;
      if (carriesEsp && code === TOO_BIG && mtu > 0) this.#forwarder.learnPathMtu(remoteAddress, mtu, now);
      else this.#pathError(id, { address: remoteAddress, port: remotePort }, code, now);
    }
  }

  #sendDatagram(id: SocketId, path: UdpPath, bytes: Uint8Array): void {
    const now = this.#options.now();
    const code = this.#forwarder.sendDatagram(id, path, bytes, now);
    // That ESP must find out its size is in order; a datagram of the control plane has no other.
    if (code === TOO_BIG && this.#sockets.get(id)?.carriesEsp === true) this.#pathError(id, path.remote, code, now);
  }

  #send(
    id: SocketId,
    datagram: Uint8Array,
    remote: UdpEndpoint,
    fromAddress: string,
    mayFragment: boolean,
    trafficClass: number,
  ): string | undefined {
    const open = this.#sockets.get(id);
    if (open === undefined) return 'EBADF';
    const code = open.socket.send(datagram, remote.address, remote.port, fromAddress, mayFragment, trafficClass);
    if (code === undefined || OWN_TROUBLE.has(code)) return code;
    const now = this.#options.now();
    if (code === TOO_BIG && open.carriesEsp) this.#readErrors(id, open, now);
    else this.#pathError(id, remote, code, now);
    return code;
  }

  #pathError(socket: SocketId, remote: UdpEndpoint, code: string, now: Instant): void {
    if (!this.#control.hasRoom('known', socket)) return;
    if (!this.#pathErrors.admit(socket, remote.address, remote.port, code, now)) return;
    const end = { address: remote.address, port: remote.port };
    this.#event({ kind: 'path-error', socket, remote: end, code }, 'known');
  }

  #event(event: DataPlaneEvent, standing: Standing): void {
    this.#control.add(standing, 'socket' in event ? event.socket : NO_SOCKET);
    this.#options.emit({ kind: 'event', event });
  }
}
