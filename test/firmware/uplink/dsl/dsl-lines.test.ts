import { describe, expect, it, vi } from 'vitest';
import type { DslConfiguration } from '../../../../firmware/config/dsl-schema.ts';
import type { Configuration } from '../../../../firmware/config/schema.ts';
import type { DslStatus } from '../../../../firmware/protocol/dsl/dsl-status.ts';
import { accessLineOf } from '../../../../firmware/uplink/dsl/access-line.ts';
import { DslLines } from '../../../../firmware/uplink/dsl/dsl-lines.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import { SimulatedSerialPorts } from '../../../../hal/simulated/serial-port.ts';
import { SimulatedDslConsole } from '../../../../scripts/lab/dsl-console.ts';
import { broadcomShowtime } from '../../../../scripts/lab/dsl-texts.ts';

const serial = (device: string): DslConfiguration => ({ source: 'serial', device, baud: 115_200, chipset: 'broadcom' });

function withLines(lines: Readonly<Record<string, DslConfiguration | undefined>>): Pick<Configuration, 'interfaces'> {
  const interfaces = Object.entries(lines).map(([name, dsl]) => [
    name,
    { device: name, zone: 'wan' as const, ...(dsl && { dsl }) },
  ]);
  return { interfaces: Object.fromEntries(interfaces) };
}

describe('the DSL lines of a configuration', () => {
  it('come, stay and go with it, and tell a server of the one by which it is reached', async () => {
    const serialPorts = new SimulatedSerialPorts();
    const wires = ['/dev/a', '/dev/b'].map((path) => {
      const wire = serialPorts.plug(path);
      const modem = new SimulatedDslConsole({
        commands: { 'xdslctl info --stats': () => broadcomShowtime({ upHours: 1, retrains: 0, reason: '0' }) },
        send: (octets) => wire.send(octets),
      });
      wire.onOctets = (octets) => modem.received(octets);
      return wire;
    });
    const told: string[] = [];
    const lines = new DslLines({ serialPorts, clock: new SimulatedClock(), log: (text) => told.push(text) });
    await lines.follow(withLines({ wan: serial('/dev/a'), wan2: serial('/dev/b') }));
    expect(lines.accessLine('wan2')).toBeUndefined();
    await vi.waitFor(() => expect([...lines.infos().values()].every(({ status }) => status !== undefined)).toBe(true));
    for (const none of ['lan', undefined]) expect(lines.accessLine(none)).toBeUndefined();
    expect(lines.accessLine('wan2')).toEqual({
      down: { actual: 31_829_000, attainable: 38_904_000 },
      up: { actual: 5_517_000, attainable: 7_215_000 },
      type: 5,
    });
    expect(told.toSorted()).toEqual([
      'interface wan2: DSL: the line is up, 31.8 Mbit/s down and 5.5 Mbit/s up',
      'interface wan: DSL: the line is up, 31.8 Mbit/s down and 5.5 Mbit/s up',
    ]);
    const asked = serialPorts.asked.length;
    await lines.follow(withLines({ wan: serial('/dev/a'), wan2: undefined }));
    expect(wires.map(({ inUse }) => inUse)).toEqual([true, false]);
    expect(serialPorts.asked).toHaveLength(asked);
    await lines.stop();
    expect(wires.map(({ inUse }) => inUse)).toEqual([false, false]);
  });
});

describe('what a server is told of a line', () => {
  const up: DslStatus = { state: 'showtime', stateWords: 'Showtime', down: { rateKbps: 1 }, up: {} };

  it.each([
    ['VDSL2 Annex B', 5],
    ['G.993.2 (VDSL2, Profile 17a)', 5],
    ['ADSL2+ Annex J', 3],
    ['G.992.5', 3],
    ['ADSL2', 2],
    ['G.DMT', 1],
    ['G.fast', 7],
    [undefined, 7],
  ])('of the mode %j is the type %i', (mode, type) => {
    expect(accessLineOf({ ...up, ...(mode !== undefined && { mode }) })?.type).toBe(type);
  });

  it('is nothing while it is not up', () => {
    expect(accessLineOf({ ...up, state: 'training' })).toBeUndefined();
    expect(accessLineOf(undefined)).toBeUndefined();
  });
});
