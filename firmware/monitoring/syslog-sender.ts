import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import type { Clock } from '../../hal/clock.ts';
import type { TcpConnector } from '../../hal/tcp-connector.ts';
import type { Failure, RandomSource } from '../protocol/machine.ts';
import type { DataPlaneDispatch } from '../vpn/data-plane-dispatch.ts';
import { MachineRunner } from '../vpn/machine-runner.ts';
import { internalFailure } from '../vpn/steps.ts';
import { connectionFailure } from './connection-failure.ts';
import type { QueueEntry } from './line-queue.ts';
import { lostLines, type SyslogSource, syslogLine } from './syslog-line.ts';
import { SyslogSenderMachine, type SyslogSenderOutput } from './syslog-sender-machine.ts';
import { DatagramWay, StreamWay, type SyslogWay, type WayEvents } from './syslog-way.ts';

/** One server, as configured, with every default in its place. */
export interface SyslogServer {
  /** Name or address. */
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
  /** SO_MARK. */
  readonly mark: number;
  readonly source: SyslogSource;
  /** PEM; without it the authorities that the system knows. */
  readonly authorities?: string;
  /** The name that its certificate has to have. */
  readonly serverName: string;
}

export interface SyslogServices {
  readonly dispatch: DataPlaneDispatch;
  readonly connector: TcpConnector;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Addresses of a host through the uplink's DNS. */
  readonly resolve: (name: string) => Promise<readonly string[] | Failure>;
  /** Lines go through, or do not; the same may be told again and again. */
  readonly onState: (failure: Failure | undefined) => void;
}

/** How long the end of the router waits for the last lines to be sent, ms, and how often it looks. */
const FLUSH_MS = 1_500;
const FLUSH_LOOK_MS = 50;

/** Gives a {@link SyslogSenderMachine} its hands. */
export class SyslogSender {
  readonly #server: SyslogServer;
  readonly #services: SyslogServices;
  readonly #machine: SyslogSenderMachine;
  readonly #runner: MachineRunner<SyslogSenderOutput>;
  #way: SyslogWay | undefined;
  /** Which connection of the machine's `#way` is, or is going to be. */
  #connection = 0;
  #context: SecureContext | undefined;

  /** @param entries what is to be sent before all that is pushed. */
  constructor(server: SyslogServer, services: SyslogServices, entries: readonly QueueEntry[]) {
    this.#server = server;
    this.#services = services;
    const { clock, random, onState } = services;
    const { source } = server;
    this.#machine = new SyslogSenderMachine({
      kind: server.transport === 'udp' ? 'datagram' : 'stream',
      format: {
        line: (line) => syslogLine(line, source),
        lost: (count, next) => lostLines(count, next, source),
      },
      random,
      entries,
      now: clock.now(),
    });
    this.#runner = new MachineRunner(
      this.#machine,
      clock,
      (output) => this.#handle(output),
      (error) => onState(internalFailure(error)),
    );
  }

  get up(): boolean {
    return this.#machine.up;
  }

  get queued(): number {
    return this.#machine.queued;
  }

  get sent(): number {
    return this.#machine.sent;
  }

  get dropped(): number {
    return this.#machine.dropped;
  }

  start(): void {
    this.#runner.run((now) => this.#machine.tick(now));
  }

  push(line: string): void {
    this.#runner.run((now) => this.#machine.push(now, line));
  }

  /** Ends at once. @returns what was not sent, for who takes over. */
  cease(): readonly QueueEntry[] {
    const { entries } = this.#machine;
    this.#close(true);
    return entries;
  }

  /** Sends what waits, if that can be done at once, and ends. Never rejects. */
  async stop(): Promise<void> {
    const { clock } = this.#services;
    this.#runner.run((now) => this.#machine.hurry(now));
    const until = clock.now() + FLUSH_MS;
    while (this.#machine.up && this.#machine.queued > 0 && clock.now() < until) {
      await new Promise<void>((done) => clock.setTimer(clock.now() + FLUSH_LOOK_MS, done));
    }
    this.#close(this.#machine.queued > 0);
  }

  #close(atOnce: boolean): void {
    this.#runner.stop();
    // What is being resolved finds that it is not wanted.
    this.#connection = 0;
    this.#way?.close(atOnce);
    this.#way = undefined;
  }

  #handle(output: SyslogSenderOutput): void {
    switch (output.kind) {
      case 'connect':
        this.#connection = output.connection;
        void this.#connect(output.connection);
        return;
      case 'send':
        this.#way?.send(output.message);
        return;
      case 'disconnect':
        this.#way?.close(true);
        this.#way = undefined;
        return;
      case 'up':
        this.#services.onState(undefined);
        return;
      case 'down':
        this.#way?.close(true);
        this.#way = undefined;
        this.#services.onState(output.failure);
        return;
    }
  }

  async #connect(connection: number): Promise<void> {
    const { resolve } = this.#services;
    const found = await resolve(this.#server.host).catch((error: unknown) => internalFailure(error));
    if (connection !== this.#connection) return;
    if (isFailure(found)) {
      this.#runner.run((now) => this.#machine.failed(now, connection, found));
      return;
    }
    try {
      // Of several addresses each has its turn.
      const address = found[connection % found.length];
      if (address === undefined) throw new Error('the name has no address');
      this.#way = this.#open(address, {
        connected: () => this.#runner.run((now) => this.#machine.connected(now, connection)),
        written: () => this.#runner.run((now) => this.#machine.written(now, connection)),
        failed: (failure) => this.#runner.run((now) => this.#machine.failed(now, connection, failure)),
      });
    } catch (error) {
      this.#runner.run((now) => this.#machine.failed(now, connection, connectionFailure('connect', error)));
    }
  }

  #open(address: string, events: WayEvents): SyslogWay {
    const { port, mark, transport, serverName } = this.#server;
    const { dispatch, connector } = this.#services;
    const target = { address, port, mark };
    if (transport === 'udp') return new DatagramWay(target, dispatch, events);
    const tls = transport === 'tls' ? { name: serverName, context: this.#secureContext() } : undefined;
    return new StreamWay(target, connector, tls, events);
  }

  /** Reading a hundred authorities takes some milliseconds: once. */
  #secureContext(): SecureContext {
    this.#context ??= createSecureContext({ ca: [this.#server.authorities ?? systemAuthorities()].flat() });
    return this.#context;
  }
}

/** Those of the operating system, or of Node where that has none. */
function systemAuthorities(): string[] {
  const system = getCACertificates('system');
  return system.length > 0 ? system : getCACertificates('bundled');
}

function isFailure(result: readonly string[] | Failure): result is Failure {
  return !Array.isArray(result);
}
