/** Debian's dnsmasq in a namespace, as a DHCP server. */
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import type { Namespace } from './namespaces.ts';
import { createStateFolder, type StateFolder } from './state-folder.ts';
import { waitFor } from './wait.ts';

export interface DnsmasqSettings {
  /** First and last address. */
  readonly range: readonly [first: string, last: string];
  /** Seconds, 120 or more. */
  readonly leaseSeconds?: number;
  /** As dnsmasq writes them: `option:router,10.20.0.1`. */
  readonly options?: readonly string[];
}

export class Dnsmasq {
  readonly #namespace: Namespace;
  readonly #device: string;
  readonly #folder: StateFolder = createStateFolder('dnsmasq');
  #daemon: Daemon | undefined;
  /** What earlier processes have said. */
  #before = '';

  /** @param device of the namespace, which has an address in the network of every range. */
  constructor(namespace: Namespace, device: string) {
    this.#namespace = namespace;
    this.#device = device;
  }

  /** Starts it, with the leases that it gave before, and returns when it listens. @throws LabError with its last words. */
  async start({ range, leaseSeconds = 3600, options = [] }: DnsmasqSettings): Promise<void> {
    const daemon = await startDaemon({
      name: 'dnsmasq',
      command: [
        'dnsmasq',
        '--no-daemon',
        '--conf-file=/dev/null',
        '--user=root',
        '--port=0',
        `--interface=${this.#device}`,
        '--bind-interfaces',
        '--no-ping',
        '--dhcp-authoritative',
        '--log-dhcp',
        '--log-facility=-',
        `--pid-file=${join(this.#folder.path, 'pid')}`,
        `--dhcp-leasefile=${join(this.#folder.path, 'leases')}`,
        `--dhcp-range=${range.join(',')},255.255.255.0,${leaseSeconds}`,
        ...options.map((option) => `--dhcp-option=${option}`),
      ],
      namespace: this.#namespace.name,
      logFile: join(this.#folder.path, 'log'),
    });
    this.#daemon = daemon;
    await waitFor('the start of dnsmasq', () => {
      daemon.checkAlive();
      return daemon.log().includes('sockets bound exclusively');
    });
  }

  /** As a power cut does it. */
  async stop(): Promise<void> {
    await this.#daemon?.stop();
    this.#before += this.#daemon?.log() ?? '';
    this.#daemon = undefined;
  }

  /** The messages that it has seen and sent, in order: `DHCPDISCOVER`, `DHCPOFFER` ... */
  get messages(): readonly string[] {
    const text = this.#before + (this.#daemon?.log() ?? '');
    return [...text.matchAll(/ (DHCP[A-Z]+)\(/g)].map(([, type = '']) => type);
  }

  async remove(): Promise<void> {
    await this.stop();
    this.#folder.remove();
  }
}
