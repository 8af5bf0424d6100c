import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { TERMINATE_CAUSE } from '../../../../firmware/protocol/radius/attribute-table.ts';
import { firstValue, type RadiusAttribute } from '../../../../firmware/protocol/radius/attribute-value.ts';
import type { AccountingRecord } from '../../../../firmware/protocol/radius/client-types.ts';
import { SessionAccountant } from '../../../../firmware/vpn/radius/session-accountant.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';

const NAS: readonly RadiusAttribute[] = [{ name: 'nasIdentifier', value: utf8Bytes('office') }];
const USER: readonly RadiusAttribute[] = [...NAS, { name: 'userName', value: utf8Bytes('alice') }];
const KEY = 5;

class Bench {
  readonly clock = new SimulatedClock();
  readonly records: AccountingRecord[] = [];
  /** Of the session. */
  traffic = { octetsReceived: 0, packetsReceived: 0, octetsSent: 0, packetsSent: 0 };
  gone = false;
  readonly accountant = new SessionAccountant(this, this.clock, NAS, (record) => this.records.push(record));

  async counters() {
    if (this.gone) throw new Error('The data plane is closed.');
    const session = { key: KEY, ...this.traffic, lost: 0, reordered: 0, drops: {} };
    return { sessions: [session], sas: [], policies: [], drops: {} };
  }

  begin(interimMs = 60_000): void {
    this.accountant.begin({ session: 'a-1', key: KEY, attributes: USER, interimMs });
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await new Promise((done) => setImmediate(done));
  }

  get told(): string[] {
    return this.records.map(({ event, session }) => `${event} ${session}`);
  }
}

const value = (record: AccountingRecord | undefined, name: Parameters<typeof firstValue>[1]) =>
  firstValue(record?.attributes ?? [], name);

describe('accounting of sessions', () => {
  it('tells start, what is carried from time to time, and the end with its cause', async () => {
    const bench = new Bench();
    bench.begin();
    bench.traffic = { octetsReceived: 100, packetsReceived: 2, octetsSent: 0x1_0000_0005, packetsSent: 3 };
    await bench.pass(60_000);
    await bench.pass(60_000);
    bench.accountant.end('a-1', TERMINATE_CAUSE.idleTimeout);
    // What ends later or comes later is not of this session.
    bench.traffic = { octetsReceived: 200, packetsReceived: 4, octetsSent: 0x1_0000_0005, packetsSent: 3 };
    await bench.pass(600_000);
    expect(bench.told).toEqual(['start a-1', 'interim a-1', 'interim a-1', 'stop a-1']);
    const [start, interim, , stop] = bench.records;
    expect(value(start, 'acctStatusType')).toBe(1);
    expect(value(start, 'acctSessionTime')).toBeUndefined();
    expect(value(interim, 'acctSessionTime')).toBe(60);
    expect(value(interim, 'acctOutputOctets')).toBe(5);
    expect(value(interim, 'acctOutputGigawords')).toBe(1);
    expect(value(interim, 'acctInputPackets')).toBe(2);
    expect(value(stop, 'acctSessionTime')).toBe(120);
    expect(value(stop, 'acctTerminateCause')).toBe(4);
    for (const record of bench.records) {
      expect(value(record, 'userName')).toEqual(utf8Bytes('alice'));
      expect(value(record, 'acctSessionId')).toEqual(utf8Bytes('a-1'));
    }
    expect(bench.clock.nextTimer).toBeUndefined();
  });

  it('tells the end of a session even when its counters are gone', async () => {
    const bench = new Bench();
    bench.begin();
    bench.gone = true;
    bench.accountant.end('a-1', TERMINATE_CAUSE.nasError);
    await bench.pass(0);
    expect(bench.told).toEqual(['start a-1', 'stop a-1']);
    expect(value(bench.records[1], 'acctInputOctets')).toBe(0);
  });

  it('tells of itself when it begins, and after the last session when it ends', async () => {
    const bench = new Bench();
    bench.accountant.on();
    bench.begin();
    bench.accountant.end('a-1', TERMINATE_CAUSE.adminReboot);
    await bench.accountant.off();
    expect(bench.told.map((line) => line.split(' ')[0])).toEqual(['on', 'start', 'stop', 'off']);
    expect(value(bench.records[0], 'acctStatusType')).toBe(7);
    expect(value(bench.records[3], 'acctStatusType')).toBe(8);
    expect(value(bench.records[3], 'nasIdentifier')).toEqual(utf8Bytes('office'));
  });

  it('of a session that is not known says nothing', async () => {
    const bench = new Bench();
    bench.accountant.end('nobody', 1);
    await bench.pass(0);
    expect(bench.told).toEqual([]);
  });
});
