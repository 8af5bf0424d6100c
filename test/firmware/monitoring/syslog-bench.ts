/** The desk of syslog with real connections, a data plane that keeps datagrams, and time that stands still. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import type { Configuration } from '../../../firmware/config/schema.ts';
import { createLogger } from '../../../firmware/log/logger.ts';
import { LogRing } from '../../../firmware/log/ring.ts';
import { SyslogDesk } from '../../../firmware/monitoring/syslog-desk.ts';
import type { Failure } from '../../../firmware/protocol/machine.ts';
import { DataPlaneDispatch } from '../../../firmware/vpn/data-plane-dispatch.ts';
import { LinuxTcpConnector } from '../../../hal/linux/tcp-connector.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';
import type { TcpConnectorOptions } from '../../../hal/tcp-connector.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { OctetCountingReader, type ParsedSyslog, parseSyslog } from '../../support/syslog-parser.ts';
import { FakeDataPlane } from '../vpn/fake-data-plane.ts';

/** SO_MARK of the uplink; ordinary users cannot set it, so the connector does not. */
export const MARK = 0x77;

/** A server of syslog by TCP or TLS. */
export class SyslogListener {
  readonly messages: ParsedSyslog[] = [];
  connections = 0;
  /** Whether it ends each connection at once. */
  hostile = false;
  /** What it says at once, and then hears nothing: it speaks another protocol. */
  greeting: string | undefined;
  readonly #tls: TlsOptions | undefined;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  /** @param tls its certificate and key; without them it is TCP. */
  constructor(tls?: TlsOptions) {
    this.#tls = tls;
  }

  get port(): number {
    return this.#port;
  }

  get texts(): string[] {
    return this.messages.map(({ text }) => text);
  }

  /** On the port that it had before, if it had one. */
  async start(): Promise<this> {
    const server = this.#tls === undefined ? createServer() : createTlsServer(this.#tls);
    server.on(this.#tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => this.#accept(socket));
    server.on('connection', (socket: Socket) => {
      socket.on('error', () => undefined);
      this.#sockets.add(socket);
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  /** As a power cut does it, but that the kernel says goodbye. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
    if (server === undefined) return;
    server.close();
    await once(server, 'close');
  }

  #accept(socket: Socket): void {
    this.connections += 1;
    socket.on('error', () => undefined);
    if (this.hostile) socket.destroy();
    if (this.greeting !== undefined) {
      socket.end(this.greeting);
      socket.resume();
      return;
    }
    const reader = new OctetCountingReader();
    socket.on('data', (chunk) => {
      for (const message of reader.read(chunk)) this.messages.push(parseSyslog(message));
    });
  }
}

export class SyslogBench {
  readonly clock = new SimulatedClock();
  readonly dataPlane = new FakeDataPlane();
  readonly ring = new LogRing();
  readonly secrets: string[] = [];
  readonly asked: TcpConnectorOptions[] = [];
  readonly resolved: string[] = [];
  /** What a name resolves to. */
  addresses: readonly string[] | Failure = ['127.0.0.1'];
  readonly logger = createLogger({
    ring: this.ring,
    secrets: () => [...this.secrets],
    wall: () => this.clock.wall(),
    destination: { write: () => undefined },
  });
  readonly desk: SyslogDesk;

  constructor() {
    const connector = new LinuxTcpConnector();
    this.desk = new SyslogDesk({
      clock: this.clock,
      ring: this.ring,
      logger: this.logger,
      mark: MARK,
      processId: '77',
      random: new SeededRandom(3),
      dispatch: new DataPlaneDispatch(this.dataPlane, () => undefined),
      connector: {
        connect: (options) => {
          this.asked.push(options);
          return connector.connect({ ...options, mark: 0 });
        },
      },
      resolve: async (name) => {
        this.resolved.push(name);
        return /^[\d.]+$/.test(name) ? [name] : this.addresses;
      },
    });
  }

  follow(syslog: Readonly<Record<string, unknown>>, hostname = 'branch-12'): Configuration {
    const parsed = parseConfiguration(JSON.stringify({ system: { hostname, syslog } }), 'x.json');
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
    this.desk.follow(parsed.configuration);
    return parsed.configuration;
  }

  /** What was logged, without the fields. */
  get said(): string[] {
    return this.ring.lines().map((line) => JSON.parse(line).msg);
  }

  /** Lets the network do its work, and time go on in small steps, until it is so. @throws Error when it never is. */
  async until(what: string, condition: () => boolean): Promise<void> {
    // Real octets take real time: a turn of the loop for each 10 ms of the clock, and many of them.
    for (let turn = 0; turn < 20_000; turn += 1) {
      if (condition()) return;
      await new Promise((done) => setImmediate(done));
      if (turn % 20 === 19) this.clock.advance(10);
    }
    throw new Error(`${what} did not come to be; the log: ${this.said.join(' | ')}`);
  }

  /** Time goes on by so much, and the network has some turns. */
  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= 50) {
      for (let turn = 0; turn < 10; turn += 1) await new Promise((done) => setImmediate(done));
      this.clock.advance(Math.min(50, left));
    }
    for (let turn = 0; turn < 10; turn += 1) await new Promise((done) => setImmediate(done));
  }

  async end(): Promise<void> {
    const stopped = this.desk.stop();
    await this.pass(2_000);
    await stopped;
  }
}
