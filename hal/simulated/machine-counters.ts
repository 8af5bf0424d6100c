import type { LinkCounters, MachineCounters } from '../machine-counters.ts';

const NOTHING: LinkCounters = {
  received: 0,
  sent: 0,
  packetsReceived: 0,
  packetsSent: 0,
  receiveErrors: 0,
  sendErrors: 0,
  receiveDrops: 0,
  sendDrops: 0,
};

/** Counters that a test sets. */
export class SimulatedMachineCounters implements MachineCounters {
  readonly devices = new Map<string, Pick<LinkCounters, 'received' | 'sent'> & Partial<LinkCounters>>();
  written: number | undefined = 0;

  links(devices: readonly string[]): ReadonlyMap<string, LinkCounters> {
    const wanted = [...this.devices].filter(([name]) => devices.includes(name));
    return new Map(wanted.map(([name, counters]) => [name, { ...NOTHING, ...counters }]));
  }

  diskWrites(): number | undefined {
    return this.written;
  }
}
