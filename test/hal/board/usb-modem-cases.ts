/** A modem in the USB port of the virtual board, with the kernel's own driver between the two ends of its lines. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, constants, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CellularModem } from '../../../firmware/uplink/modem/cellular-modem.ts';
import { LinuxClock } from '../../../hal/linux/clock.ts';
import { LinuxSerialPorts } from '../../../hal/linux/serial-port.ts';
import { LinuxUsbDevices } from '../../../hal/linux/usb-devices.ts';
import type { UsbDevice } from '../../../hal/usb-devices.ts';
import { SimulatedModem } from '../../../scripts/lab/modem/simulated-modem.ts';
import { MODEM_ENDS, MODEM_SWITCH, MODEM_USB_ID } from '../../../scripts/lab/virtual-board.ts';
import type { Contract, OpenWorld } from '../contract/contract.ts';

/** Of everything that the kernel does by itself. */
const LIMIT_MS = 30_000;
const LOOK_MS = 50;
const LINES = 4;

export interface UsbModemWorld {
  readonly usb: LinuxUsbDevices;
  readonly ports: LinuxSerialPorts;
  /** Returns when the kernel has made all its lines. */
  plug(): Promise<UsbDevice>;
  /** Returns when it is gone. */
  unplug(): Promise<void>;
  /** Who answers at the other end, from then on; plugged in before. */
  answer(): Promise<SimulatedModem>;
}

export function usbModemWorld(): OpenWorld<UsbModemWorld> {
  const usb = new LinuxUsbDevices();
  const ports = new LinuxSerialPorts();
  const find = async (): Promise<UsbDevice | undefined> => (await usb.list()).find(({ id }) => id === MODEM_USB_ID);
  const pull = (): void => writeFileSync(MODEM_SWITCH, '\n');
  let plugged = false;
  const world: UsbModemWorld = {
    usb,
    ports,
    plug: async () => {
      writeFileSync(MODEM_SWITCH, readdirSync('/sys/class/udc')[0] ?? '');
      plugged = true;
      return until('the lines of the modem', async () => {
        const modem = await find();
        return linesOf(modem).length === LINES ? modem : undefined;
      });
    },
    unplug: async () => {
      pull();
      plugged = false;
      await until('that the modem is gone', async () => ((await find()) === undefined ? true : undefined));
    },
    answer: async () => {
      const modem = new SimulatedModem(new LinuxClock(), () => ({ octets: () => undefined, end: () => undefined }), {
        vendor: 'simcom',
      });
      for (const path of MODEM_ENDS) {
        const port = await ports.open({ path, baud: 115_200 });
        let writes: Promise<void> = Promise.resolve();
        const inside = modem.port((octets) => {
          writes = writes.then(() => port.write(octets)).catch(() => undefined);
        });
        port.onOctets = (octets) => inside.octets(octets);
      }
      return modem;
    },
  };
  return {
    world,
    close: () => {
      if (plugged) pull();
    },
  };
}

export const usbModemCases: Contract<UsbModemWorld> = {
  name: 'usb modem',
  cases: [
    {
      name: 'is listed by its id with its lines and their driver, and gone when it is pulled out',
      run: async ({ usb, plug, unplug }) => {
        const modem = await plug();
        assert.equal(modem.product, 'Virtual LTE modem');
        assert.deepEqual(
          modem.interfaces.map(({ number, driver }) => [number, driver]),
          [0, 1, 2, 3].map((number) => [number, 'option']),
        );
        await unplug();
        assert.deepEqual(
          (await usb.list()).filter(({ id }) => id === MODEM_USB_ID),
          [],
        );
      },
    },
    {
      name: 'says that its line is lost when it is pulled out, and has other names while somebody holds the old ones',
      run: async ({ ports, plug, unplug }) => {
        const before = linesOf(await plug());
        const port = await ports.open({ path: before[2] ?? '', baud: 115_200 });
        // Whoever does not look at its end keeps the number.
        const held = holdOpen(before[0] ?? '');
        await unplug();
        const end = await port.ended;
        assert.equal(end.kind, 'lost');
        const after = linesOf(await plug());
        assert.notDeepEqual(after, before);
        assert.ok(!after.includes(before[0] ?? ''), `${after} has the line that is held`);
        held.close();
      },
    },
    {
      name: 'answers commands, and again after it has come back under other names',
      run: async ({ usb, ports, plug, unplug, answer }) => {
        const stateDirectory = mkdtempSync(join(tmpdir(), 'culvert-modem-'));
        const log: string[] = [];
        const driver = new CellularModem(
          'lte',
          { usb: MODEM_USB_ID, baud: 115_200, roaming: false, data: 'ppp' },
          {
            ports,
            usb,
            clock: new LinuxClock(),
            random: { bytes: (length) => randomBytes(length) },
            stateDirectory,
            log: (line) => log.push(line),
          },
        );
        const registered = (): Promise<string> =>
          until('that the modem is registered', async () => {
            const { operator, where } = driver.status();
            return operator === 'LabTel' ? where : undefined;
          });
        try {
          const before = linesOf(await plug());
          await answer();
          driver.start();
          assert.match(await registered(), /^SIMCom SIM7600 \(1e0e:9001\) on USB 1-1$/);
          const held = holdOpen(before[0] ?? '');
          await unplug();
          await until('that it is missed', async () => (driver.status().where === '' ? true : undefined));
          assert.notDeepEqual(linesOf(await plug()), before);
          await answer();
          await registered();
          held.close();
        } finally {
          await driver.stop();
          rmSync(stateDirectory, { recursive: true });
        }
      },
    },
  ],
};

function linesOf(modem: UsbDevice | undefined): readonly string[] {
  return (modem?.interfaces ?? []).map(({ tty }) => tty).filter((tty) => tty !== '');
}

/** As a program that does not see that its line is lost. */
function holdOpen(path: string): { close(): void } {
  const handle = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK);
  return { close: () => closeSync(handle) };
}

async function until<Value>(what: string, look: () => Promise<Value | undefined>): Promise<Value> {
  const deadline = performance.now() + LIMIT_MS;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => void setTimeout(resolve, LOOK_MS));
  }
}
