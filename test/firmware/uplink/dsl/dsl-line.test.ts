import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { DslConfiguration } from '../../../../firmware/config/dsl-schema.ts';
import { DslLine, LOOK_MS } from '../../../../firmware/uplink/dsl/dsl-line.ts';
import { LinuxSerialPorts } from '../../../../hal/linux/serial-port.ts';
import { SimulatedClock } from '../../../../hal/simulated/clock.ts';
import { SimulatedSerialPorts } from '../../../../hal/simulated/serial-port.ts';
import { SimulatedDslConsole } from '../../../../scripts/lab/dsl-console.ts';
import { BROADCOM_TRAINING, broadcomShowtime } from '../../../../scripts/lab/dsl-texts.ts';
import { Pty } from '../../../../scripts/lab/pty.ts';

const PATH = '/dev/ttyDSL';
const settings: DslConfiguration = { source: 'serial', device: PATH, baud: 115_200, chipset: 'auto' };
const SHOWTIME = broadcomShowtime({ upHours: 2, retrains: 1, reason: '0' });

let line: DslLine | undefined;
afterEach(() => line?.stop());

function makeLine(more: Partial<DslConfiguration>, serialPorts = new SimulatedSerialPorts()) {
  const clock = new SimulatedClock(1_000_000);
  const told: string[] = [];
  line = new DslLine({
    name: 'wan',
    settings: { ...settings, ...more },
    serialPorts,
    clock,
    log: (text) => told.push(text),
  });
  line.start();
  return { line, clock, told, serialPorts };
}

/** A modem on a line of memory. */
function plug(ports: SimulatedSerialPorts, answer: () => string) {
  const wire = ports.plug(PATH);
  const commands = { 'xdslctl info --stats': answer };
  const modem = new SimulatedDslConsole({ commands, send: (octets) => wire.send(octets) });
  wire.onOctets = (octets) => modem.received(octets);
  return wire;
}

describe('a DSL line', () => {
  it('tells its status and its syncs, and what has happened to them', async () => {
    const ports = new SimulatedSerialPorts();
    let answer = SHOWTIME;
    plug(ports, () => answer);
    const { line, clock, told } = makeLine({}, ports);
    await vi.waitFor(() => expect(line.info().status?.state).toBe('showtime'));
    expect(line.info()).toMatchObject({ source: 'console of the modem on /dev/ttyDSL', seenAt: clock.wall() });
    expect(line.info().syncs).toEqual([{ upAt: clock.wall() - 7_207_000, downKbps: 31829, upKbps: 5517 }]);
    answer = BROADCOM_TRAINING;
    clock.advance(LOOK_MS);
    await vi.waitFor(() => expect(line.info().status?.state).toBe('handshake'));
    expect(line.info().syncs[0]).toMatchObject({ downAt: clock.wall(), reason: 'retrain reason 2' });
    expect(told).toEqual([
      'DSL: the line is up, 31.8 Mbit/s down and 5.5 Mbit/s up',
      'DSL: the line went down: retrain reason 2',
    ]);
  });

  it('says once that its modem cannot be asked, and finds it when it is plugged in', async () => {
    const { line, clock, told, serialPorts } = makeLine({});
    await vi.waitFor(() => expect(line.info().failure?.reason).toContain('/dev/ttyDSL'));
    for (let round = 0; round < 3; round++) {
      await vi.waitFor(() => expect(clock.nextTimer).toBeDefined());
      clock.advance(10_000);
    }
    expect(told).toHaveLength(1);
    const wire = plug(serialPorts, () => SHOWTIME);
    await vi.waitFor(() => {
      clock.advance(5_000);
      expect(line.info().status).toBeDefined();
    });
    wire.pull();
    await vi.waitFor(() => expect(line.info().failure?.reason).toContain('is lost'));
    expect(line.info().status).toBeUndefined();
    // Nobody knows that the line has gone down.
    expect(line.info().syncs[0]?.downAt).toBeUndefined();
  });

  it('is read from a file that is fresh, and from no other', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'culvert-dsl-'));
    try {
      const device = join(folder, 'status');
      const { line, clock } = makeLine({ source: 'file', device });
      await vi.waitFor(() => expect(line.info().failure?.reason).toContain('cannot be asked'));
      const write = (text: string, ageMs: number): void => {
        writeFileSync(device, text);
        utimesSync(device, new Date(), new Date(clock.wall() - ageMs));
      };
      write('hello', 0);
      await vi.waitFor(() => expect(clock.nextTimer).toBeDefined());
      clock.advance(LOOK_MS);
      await vi.waitFor(() => expect(line.info().failure?.reason).toContain('does not tell how a DSL line is'));
      await vi.waitFor(() => expect(clock.nextTimer).toBeDefined());
      write(SHOWTIME, 0);
      clock.advance(LOOK_MS);
      await vi.waitFor(() => expect(line.info().status?.profile).toBe('17a'));
      await vi.waitFor(() => expect(clock.nextTimer).toBeDefined());
      write(SHOWTIME, 600_000);
      clock.advance(LOOK_MS);
      await vi.waitFor(() => expect(line.info().failure?.reason).toContain('last written 1'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.skipIf(process.platform !== 'linux')('is asked through a real terminal', async () => {
    const pty = new Pty();
    const modem = new SimulatedDslConsole({
      commands: { 'xdslctl info --stats': () => SHOWTIME },
      send: (octets) => pty.send(octets),
    });
    pty.onOctets = (octets) => modem.received(octets);
    const { clock } = makeLine({});
    const real = new DslLine({
      name: 'wan',
      settings: { ...settings, device: pty.path },
      serialPorts: new LinuxSerialPorts(),
      clock,
      log: () => undefined,
    });
    real.start();
    try {
      await vi.waitFor(() => expect(real.info().status?.down.rateKbps).toBe(31829), { timeout: 20_000 });
    } finally {
      await real.stop();
      pty.close();
    }
  });
});
