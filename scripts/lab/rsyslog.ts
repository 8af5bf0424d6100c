/** Debian's rsyslog in a namespace: it listens by UDP, TCP and TLS, and writes down what it has understood of each message. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabCertificate } from './certificates.ts';
import { type Daemon, startDaemon } from './daemon.ts';
import type { Namespace } from './namespaces.ts';
import { run } from './shell.ts';
import { createStateFolder, type StateFolder } from './state-folder.ts';
import { waitFor } from './wait.ts';

export interface RsyslogOptions {
  readonly namespace: Namespace;
  /** An address of the namespace. */
  readonly address: string;
  /** PEM of the authority, and what the server proves itself by. */
  readonly authority: string;
  readonly certificate: LabCertificate;
}

/** A message, as rsyslog has understood it: its properties, by the names that rsyslog gives them. */
export interface RsyslogMessage {
  /** By which of the three it came. */
  readonly inputname: 'udp' | 'tcp' | 'tls';
  readonly msg: string;
  /** As it was on the wire, without octet counting. */
  readonly rawmsg: string;
  readonly hostname: string;
  readonly pri: string;
  readonly 'app-name': string;
  readonly procid: string;
  readonly msgid: string;
  readonly timereported: string;
  readonly 'structured-data': string;
}

export const RSYSLOG_PORTS = { udp: 514, tcp: 601, tls: 6514 } as const;

export class Rsyslog {
  readonly #options: RsyslogOptions;
  readonly #folder: StateFolder;
  #daemon: Daemon | undefined;

  constructor(options: RsyslogOptions) {
    this.#options = options;
    this.#folder = createStateFolder('rsyslog');
    const { address, authority, certificate } = options;
    writeFileSync(this.#path('ca.pem'), authority);
    writeFileSync(this.#path('own.pem'), certificate.certificate);
    writeFileSync(this.#path('own.key'), certificate.key);
    writeFileSync(this.#path('rsyslog.conf'), configuration(this.#folder.path, address));
  }

  /** Starts it, again too, and returns when it listens. @throws LabError with its last words. */
  async start(): Promise<void> {
    const { namespace } = this.#options;
    const daemon = await startDaemon({
      name: 'rsyslogd',
      command: ['rsyslogd', '-n', '-x', '-i', 'NONE', '-f', this.#path('rsyslog.conf')],
      namespace: namespace.name,
      logFile: this.#path('log'),
    });
    this.#daemon = daemon;
    await waitFor('the ports of rsyslogd', async () => {
      daemon.checkAlive();
      const listening = await run(namespace.command('ss', '-Htuln'));
      return Object.values(RSYSLOG_PORTS).every((port) => listening.includes(`:${port} `));
    });
  }

  /** As a power cut does it. */
  async stop(): Promise<void> {
    await this.#daemon?.stop();
  }

  /** What came so far, in the order in which it came. */
  get messages(): readonly RsyslogMessage[] {
    const file = this.#path('messages');
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line) as RsyslogMessage);
  }

  async remove(): Promise<void> {
    await this.stop();
    this.#folder.remove();
  }

  #path(name: string): string {
    return join(this.#folder.path, name);
  }
}

/** Nothing of Debian's own configuration is used. */
function configuration(folder: string, address: string): string {
  return `
global(
  workDirectory="${folder}"
  defaultNetstreamDriverCAFile="${folder}/ca.pem"
  defaultNetstreamDriverCertFile="${folder}/own.pem"
  defaultNetstreamDriverKeyFile="${folder}/own.key"
)
module(load="imudp")
module(load="imtcp")
template(name="all" type="string" string="%jsonmesg%\\n")
ruleset(name="remote") {
  action(type="omfile" file="${folder}/messages" template="all" ioBufferSize="4k" flushOnTXEnd="on")
}
input(type="imudp" address="${address}" port="${RSYSLOG_PORTS.udp}" name="udp" ruleset="remote")
input(type="imtcp" address="${address}" port="${RSYSLOG_PORTS.tcp}" name="tcp" ruleset="remote")
input(
  type="imtcp" address="${address}" port="${RSYSLOG_PORTS.tls}" name="tls" ruleset="remote"
  streamDriver.name="gtls" streamDriver.mode="1" streamDriver.authMode="anon"
)
`;
}
