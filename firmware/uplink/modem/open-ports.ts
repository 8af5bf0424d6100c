/** The serial lines of one modem while they are open: commands on one, calls on the other where there are two. */
import type { SerialPort, SerialPorts } from '../../../hal/serial-port.ts';
import type { AtChannel } from '../../protocol/at/modem-types.ts';
import type { ModemPorts } from './port-finder.ts';

export class OpenPorts {
  readonly #ports: ReadonlyMap<AtChannel, SerialPort>;
  /** Writes of a line go one after the other. */
  readonly #writing = new Map<AtChannel, Promise<void>>();
  /** Resolves with the reason when one of them is lost. */
  readonly lost: Promise<string>;

  private constructor(ports: ReadonlyMap<AtChannel, SerialPort>) {
    this.#ports = ports;
    const ends = [...ports.values()].map(async ({ ended }) => {
      const end = await ended;
      return end.kind === 'lost' ? end.reason : 'its serial line was closed';
    });
    this.lost = Promise.race(ends);
  }

  /** @param onOctets gets what comes in. @throws HalError when one of them cannot be opened; none is open then. */
  static async open(
    ports: SerialPorts,
    { control, data, baud }: ModemPorts,
    onOctets: (channel: AtChannel, octets: Uint8Array) => void,
  ): Promise<OpenPorts> {
    const open = new Map<AtChannel, SerialPort>();
    const add = async (channel: AtChannel, path: string) => {
      const port = await ports.open({ path, baud });
      port.onOctets = (octets) => onOctets(channel, octets);
      open.set(channel, port);
    };
    try {
      await add('control', control);
      if (data !== undefined) await add('data', data);
    } catch (error) {
      for (const port of open.values()) await port.close();
      throw error;
    }
    return new OpenPorts(open);
  }

  get twoChannels(): boolean {
    return this.#ports.has('data');
  }

  /** The line that calls are made on. */
  get callPort(): SerialPort | undefined {
    return this.#ports.get('data') ?? this.#ports.get('control');
  }

  write(channel: AtChannel, octets: Uint8Array): void {
    const port = this.#ports.get(channel);
    if (port === undefined) return;
    const before = this.#writing.get(channel) ?? Promise.resolve();
    // A line that takes nothing any more is lost, and says so itself.
    this.#writing.set(
      channel,
      before.then(() => port.write(octets)).catch(() => undefined),
    );
  }

  async close(): Promise<void> {
    for (const port of this.#ports.values()) await port.close();
  }
}
