import type { Clock } from '../../hal/clock.ts';
import { EMPTY_CONFIGURATION } from '../config/empty.ts';
import { SYSLOG_PORTS, type SyslogServerConfiguration } from '../config/monitoring-schema.ts';
import { type Configuration, ownEntry } from '../config/schema.ts';
import type { Logger } from '../log/logger.ts';
import type { LogRing } from '../log/ring.ts';
import type { Failure } from '../protocol/machine.ts';
import { failureLine } from '../vpn/steps.ts';
import type { QueueEntry } from './line-queue.ts';
import { isAtLeast, type LineLevel, levelOf } from './syslog-line.ts';
import { SyslogSender, type SyslogServer, type SyslogServices } from './syslog-sender.ts';

export interface SyslogDeskParts extends Omit<SyslogServices, 'resolve' | 'onState'> {
  readonly clock: Clock;
  readonly ring: LogRing;
  readonly logger: Logger;
  /** SO_MARK of what goes by the uplink. */
  readonly mark: number;
  readonly resolve: (name: string, configuration: Configuration) => Promise<readonly string[] | Failure>;
  /** By which receivers tell two runs of the router apart. */
  readonly processId: string;
}

/** How one server is doing. */
export interface SyslogServerView {
  readonly name: string;
  readonly up: boolean;
  readonly queued: number;
  readonly sent: number;
  readonly dropped: number;
}

interface Entry {
  /** Everything that it depends on, as text: the same text, the same sender. */
  readonly settings: string;
  readonly level: LineLevel;
  readonly sender: SyslogSender;
  /** Why nothing reaches it now. */
  failure?: Failure;
}

/** Longest message, octets: a datagram in one packet of the least MTU of IPv6; what every server of a stream should take. */
const MAXIMUM = { udp: 1_232, tcp: 8_192, tls: 8_192 } as const;
/** The same failure is told again after this time, ms; so many are known of all servers. */
const REMIND_MS = 10 * 60_000;
const MAX_TOLD = 64;

/** The syslog servers of the configuration in force, each with a sender of its own. */
export class SyslogDesk {
  readonly #parts: SyslogDeskParts;
  readonly #entries = new Map<string, Entry>();
  readonly #unlisten: () => void;
  #configuration: Configuration = EMPTY_CONFIGURATION;
  /** When what was told last. */
  readonly #told = new Map<string, number>();
  /** Servers of which it was told last that nothing reaches them. */
  readonly #mourned = new Set<string>();
  #ending = false;

  constructor(parts: SyslogDeskParts) {
    this.#parts = parts;
    this.#unlisten = parts.ring.listen((line) => this.#push(line));
  }

  /** Other servers from now on; one that is new gets the lines since the start of the router, as far as the ring has them. */
  follow(configuration: Configuration): void {
    if (this.#ending) return;
    this.#configuration = configuration;
    const { hostname, syslog } = configuration.system;
    for (const [name, entry] of this.#entries) {
      if (Object.hasOwn(syslog, name)) continue;
      entry.sender.cease();
      this.#entries.delete(name);
      this.#mourned.delete(name);
    }
    for (const [name, server] of Object.entries(syslog)) this.#put(name, server, hostname);
  }

  get servers(): readonly SyslogServerView[] {
    return [...this.#entries].map(([name, { sender }]) => {
      const { up, queued, sent, dropped } = sender;
      return { name, up, queued, sent, dropped };
    });
  }

  /** As it is now, a sentence each. */
  get warnings(): string[] {
    return [...this.#entries].flatMap(([name, { failure }]) =>
      failure === undefined ? [] : [this.#complaint(name, failure)],
    );
  }

  /** The last lines are given a moment. Never rejects. */
  async stop(): Promise<void> {
    this.#ending = true;
    await Promise.all([...this.#entries.values()].map(({ sender }) => sender.stop()));
    this.#unlisten();
    this.#entries.clear();
  }

  #put(name: string, server: SyslogServerConfiguration, hostName: string): void {
    const { ring, mark, processId } = this.#parts;
    const { address, transport, level, facility, ca, serverName = address, port = SYSLOG_PORTS[transport] } = server;
    const complete: SyslogServer = {
      host: address,
      port,
      transport,
      mark: server.route === 'uplink' ? mark : 0,
      source: { facility, hostName, processId, maximum: MAXIMUM[transport] },
      serverName,
      ...(ca === undefined ? {} : { authorities: ca }),
    };
    const settings = JSON.stringify([level, complete]);
    const before = this.#entries.get(name);
    if (before?.settings === settings) return;
    const waiting: readonly QueueEntry[] =
      before?.sender.cease() ??
      ring
        .lines()
        .filter((line) => isAtLeast(levelOf(line), level))
        .map((line) => ({ kind: 'line', line }));
    const { dispatch, connector, clock, random, resolve } = this.#parts;
    const sender = new SyslogSender(
      complete,
      {
        dispatch,
        connector,
        clock,
        random,
        resolve: (host) => resolve(host, this.#configuration),
        onState: (failure) => this.#onState(name, sender, failure),
      },
      waiting,
    );
    this.#entries.set(name, { settings, level, sender });
    sender.start();
  }

  #push(line: string): void {
    if (this.#entries.size === 0) return;
    const level = levelOf(line);
    for (const entry of this.#entries.values()) if (isAtLeast(level, entry.level)) entry.sender.push(line);
  }

  #onState(name: string, sender: SyslogSender, failure: Failure | undefined): void {
    const entry = this.#entries.get(name);
    if (entry?.sender !== sender) return;
    const first = entry.failure === undefined;
    if (failure === undefined) delete entry.failure;
    else entry.failure = failure;
    const { logger } = this.#parts;
    if (failure === undefined) {
      // Of what was not complained about nobody has to hear that it is mended.
      if (this.#mourned.delete(name)) logger.info(`log lines reach the syslog server "${name}" again`);
      else if (first && this.#isNew(`up ${name}`)) logger.info(`log lines reach the syslog server "${name}"`);
    } else if (this.#isNew(`${name} ${failureLine(failure).replace(/\d+/g, '#')}`)) {
      this.#mourned.add(name);
      logger.warn(this.#complaint(name, failure));
    }
  }

  /** These lines are for the servers, too: what comes and goes must not fill the queue with itself. */
  #isNew(what: string): boolean {
    const now = this.#parts.clock.now();
    const at = this.#told.get(what);
    if (at !== undefined && now - at < REMIND_MS) return false;
    if (this.#told.size >= MAX_TOLD) this.#told.clear();
    this.#told.set(what, now);
    return true;
  }

  #complaint(name: string, failure: Failure): string {
    const { address = '', transport = 'udp', port } = ownEntry(this.#configuration.system.syslog, name) ?? {};
    const where = `${address} port ${port ?? SYSLOG_PORTS[transport]}, ${transport.toUpperCase()}`;
    return `no log lines reach the syslog server "${name}" (${where}): ${failureLine(failure)}`;
  }
}
