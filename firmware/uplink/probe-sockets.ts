/** The hands of probes: each question leaves by one device, from one address, past all tunnels. */
import type { Duplex } from 'node:stream';
import type { Clock, Timer } from '../../hal/clock.ts';
import { type IcmpSocket, type IcmpSocketFactory, newIcmpMessageInfo } from '../../hal/icmp-socket.ts';
import type { TcpConnector } from '../../hal/tcp-connector.ts';
import type { ProbeTarget } from '../config/probe-target.ts';
import type { SocketId } from '../dataplane/data-plane.ts';
import { encodeQuery, readAnswer } from '../network/dns-message.ts';
import { decodeIcmp, encodeEchoRequest } from '../protocol/icmp/icmp-message.ts';
import type { Instant, RandomSource } from '../protocol/machine.ts';
import type { DataPlaneDispatch } from '../vpn/data-plane-dispatch.ts';
import { errorText } from '../vpn/steps.ts';

/** How often the ICMP socket is looked into while an answer is awaited, ms: the kernel tells how long ago a message came. */
const TURN_MS = 10;
/** Messages that one turn takes, so that a flood does not hold the control thread up. */
const MOST_IN_A_TURN = 64;
/** Octets of an ICMP message that are read. */
const BUFFER = 2048;
/** Octets of random data by which an echo is known, beside its identifier and sequence number. */
const TOKEN = 8;
const HOP_LIMIT = 64;
/** Octets of an HTTP answer in which its status must stand (RFC 9112 section 4). */
const STATUS_LINE = 64;
const DNS_PORT = 53;

export interface ProbeServices {
  readonly clock: Clock;
  readonly random: RandomSource;
  readonly icmp: IcmpSocketFactory;
  readonly connector: TcpConnector;
  readonly dispatch: DataPlaneDispatch;
  /** SO_MARK of what goes past the tunnels. */
  readonly mark: number;
}

export interface ProbeEvents {
  /** @param at when the answer came. */
  readonly answered: (id: number, at: Instant) => void;
  /** @param why a clause. */
  readonly refused: (id: number, why: string) => void;
}

export class ProbeSockets {
  readonly #services: ProbeServices;
  readonly #via: { readonly device: string; readonly address: string };
  readonly #events: ProbeEvents;
  readonly #identifier: number;
  readonly #token: Uint8Array;
  readonly #into = new Uint8Array(BUFFER);
  readonly #info = newIcmpMessageInfo();
  #icmp: IcmpSocket | undefined;
  #turn: Timer | undefined;
  /** Echoes on their way: question by sequence number. */
  readonly #echoes = new Map<number, { readonly id: number; readonly address: string }>();
  #dns: Promise<SocketId> | undefined;
  /** Queries on their way, by their id. */
  readonly #queries = new Map<number, { readonly id: number; readonly name: string; readonly address: string }>();
  readonly #streams = new Map<number, Duplex>();
  #closed = false;

  /** @param via by which device, and from which address without its length. */
  constructor(
    services: ProbeServices,
    via: { readonly device: string; readonly address: string },
    events: ProbeEvents,
  ) {
    this.#services = services;
    this.#via = via;
    this.#events = events;
    const { random } = services;
    const [high = 0, low = 0] = random.bytes(2);
    this.#identifier = (high << 8) | low;
    this.#token = random.bytes(TOKEN);
  }

  ask(id: number, target: ProbeTarget): void {
    if (this.#closed) return;
    try {
      if (target.kind === 'icmp') this.#echo(id, target.address);
      else if (target.kind === 'dns') void this.#query(id, target).catch((error) => this.#refuse(id, error));
      else this.#connect(id, target);
    } catch (error) {
      this.#refuse(id, error);
    }
  }

  /** Nobody waits for that answer any more. */
  forget(id: number): void {
    for (const [sequence, echo] of this.#echoes) if (echo.id === id) this.#echoes.delete(sequence);
    for (const [query, entry] of this.#queries) if (entry.id === id) this.#queries.delete(query);
    this.#streams.get(id)?.destroy();
    this.#streams.delete(id);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#turn?.cancel();
    this.#icmp?.close();
    for (const stream of this.#streams.values()) stream.destroy();
    this.#streams.clear();
    const { dispatch } = this.#services;
    void this.#dns
      ?.then((socket) => {
        dispatch.disownSocket(socket);
        return dispatch.dataPlane.closeSocket(socket);
      })
      .catch(() => undefined);
  }

  #refuse(id: number, error: unknown): void {
    if (!this.#closed) this.#events.refused(id, errorText(error).replace(/\.$/, ''));
  }

  #echo(id: number, address: string): void {
    const { icmp, mark } = this.#services;
    this.#icmp ??= icmp.open({ family: 4, mark, dontFragment: false, ...this.#via });
    const sequence = id & 0xffff;
    this.#echoes.set(sequence, { id, address });
    const message = encodeEchoRequest(4, { identifier: this.#identifier, sequence }, this.#token);
    const refusal = this.#icmp.send(message, address, HOP_LIMIT);
    if (refusal === undefined) {
      this.#arm();
      return;
    }
    this.#echoes.delete(sequence);
    queueMicrotask(() => this.#refuse(id, new Error(`it cannot be sent (${refusal.code})`)));
  }

  #arm(): void {
    if (this.#turn !== undefined || this.#closed) return;
    const { clock } = this.#services;
    this.#turn = clock.setTimer(clock.now() + TURN_MS, () => {
      this.#turn = undefined;
      this.#take();
      if (this.#echoes.size > 0) this.#arm();
    });
  }

  #take(): void {
    const { clock } = this.#services;
    for (let count = 0; count < MOST_IN_A_TURN && this.#icmp !== undefined && !this.#closed; count += 1) {
      if (!this.#icmp.receive(this.#into, this.#info)) return;
      const { offset, length, remoteAddress, ageMs } = this.#info;
      const id = this.#echoOf(this.#into.subarray(offset, offset + length), remoteAddress);
      if (id !== undefined) this.#events.answered(id, clock.now() - ageMs);
    }
  }

  /** Only what has our identifier and token is an answer of ours; errors of routers are not waited for. */
  #echoOf(bytes: Uint8Array, from: string): number | undefined {
    try {
      const message = decodeIcmp(4, bytes);
      if (message?.kind !== 'reply' || message.identifier !== this.#identifier) return undefined;
      const known = this.#echoes.get(message.sequence);
      if (known?.address !== from || Buffer.compare(message.data, this.#token) !== 0) return undefined;
      this.#echoes.delete(message.sequence);
      return known.id;
    } catch {
      return undefined;
    }
  }

  async #query(id: number, { address, name }: Extract<ProbeTarget, { kind: 'dns' }>): Promise<void> {
    const { random, dispatch } = this.#services;
    this.#dns ??= this.#openDns();
    const socket = await this.#dns;
    if (this.#closed) return;
    const [high = 0, low = 0] = random.bytes(2);
    const query = (high << 8) | low;
    this.#queries.set(query, { id, name, address });
    const path = { remote: { address, port: DNS_PORT }, local: { address: this.#via.address, port: 0 } };
    dispatch.dataPlane.sendDatagram(socket, path, encodeQuery(query, name, 'A'));
  }

  async #openDns(): Promise<SocketId> {
    const { dispatch, mark, clock } = this.#services;
    const id = dispatch.nextId();
    const { device, address } = this.#via;
    await dispatch.dataPlane.openSocket({ id, purpose: 'datagram', family: 4, address, port: 0, mark, device });
    dispatch.ownSocket(id, (event) => {
      if (event.kind !== 'datagram' || event.bytes.length < 2) return;
      const query = ((event.bytes[0] ?? 0) << 8) | (event.bytes[1] ?? 0);
      const known = this.#queries.get(query);
      const { address: from, port } = event.path.remote;
      if (known === undefined || from !== known.address || port !== DNS_PORT) return;
      // Whatever it says of the name: it answers.
      if (readAnswer(event.bytes, known.name, 'A') === undefined) return;
      this.#queries.delete(query);
      this.#events.answered(known.id, clock.now());
    });
    return id;
  }

  #connect(id: number, target: Extract<ProbeTarget, { kind: 'tcp' | 'http' }>): void {
    const { connector, mark, clock } = this.#services;
    const { address, port } = target;
    const { device, address: localAddress } = this.#via;
    const stream = connector.connect({ address, port, mark, device, localAddress });
    this.#streams.set(id, stream);
    /** Once; whatever comes afterwards is of no interest. */
    const end = (why?: string): void => {
      if (!this.#streams.delete(id)) return;
      stream.destroy();
      if (why === undefined) this.#events.answered(id, clock.now());
      else this.#events.refused(id, why);
    };
    stream.on('error', (error: NodeJS.ErrnoException) => end(`no connection (${error.code ?? error.message})`));
    stream.on('close', () => end('the connection was closed'));
    if (target.kind === 'tcp') {
      stream.once('connect', () => end());
      return;
    }
    let head = '';
    stream.on('data', (chunk: Buffer) => {
      head = (head + chunk.toString('latin1')).slice(0, STATUS_LINE);
      const [, status] = /^HTTP\/1\.[01] ([1-9][0-9]{2})/.exec(head) ?? [];
      if (status !== undefined) end(Number(status) < 400 ? undefined : `the answer was ${status}`);
      else if (head.length >= STATUS_LINE) end('what came is no HTTP');
    });
    stream.once('connect', () => {
      stream.write(
        `GET ${target.path} HTTP/1.1\r\nHost: ${target.host}\r\nUser-Agent: culvert\r\nConnection: close\r\n\r\n`,
      );
    });
  }
}
