import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { UsbDevice, UsbDevices, UsbInterface } from '../usb-devices.ts';

const SYSFS = '/sys/bus/usb/devices';
/** Characters of what a device says of itself. */
const MOST_TEXT = 128;

/** From sysfs: one directory for each device (`1-1.2`) and for each interface (`1-1.2:1.3`). */
export class LinuxUsbDevices implements UsbDevices {
  readonly #root: string;

  /** @param root where another one stands in for {@link SYSFS}. */
  constructor(root: string = SYSFS) {
    this.#root = root;
  }

  async list(): Promise<readonly UsbDevice[]> {
    const names = (await entries(this.#root)).toSorted();
    const devices = await Promise.all(
      names.filter((name) => /^\d+-\d+(\.\d+)*$/.test(name)).map((name) => this.#device(name, names)),
    );
    return devices.filter((device) => device !== undefined);
  }

  /** @returns `undefined` for one that was unplugged meanwhile. */
  async #device(location: string, names: readonly string[]): Promise<UsbDevice | undefined> {
    const read = (attribute: string) => text(join(this.#root, location, attribute));
    const [vendor, product] = [await read('idVendor'), await read('idProduct')];
    if (!/^[0-9a-f]{4}$/.test(vendor) || !/^[0-9a-f]{4}$/.test(product)) return undefined;
    const own = names.filter((name) => name.startsWith(`${location}:`));
    const interfaces = await Promise.all(own.map((name) => this.#interface(join(this.#root, name))));
    return {
      id: `${vendor}:${product}`,
      location,
      manufacturer: await read('manufacturer'),
      product: await read('product'),
      serial: await read('serial'),
      interfaces: interfaces.toSorted((a, b) => a.number - b.number),
    };
  }

  async #interface(path: string): Promise<UsbInterface> {
    const hexadecimal = async (attribute: string) => Number.parseInt(await text(join(path, attribute)), 16) || 0;
    return {
      number: await hexadecimal('bInterfaceNumber'),
      class: await hexadecimal('bInterfaceClass'),
      subclass: await hexadecimal('bInterfaceSubClass'),
      protocol: await hexadecimal('bInterfaceProtocol'),
      driver: await readlink(join(path, 'driver')).then(basename, () => ''),
      tty: await ttyOf(path),
      network: (await entries(join(path, 'net')))[0] ?? '',
    };
  }
}

/** `ttyUSB2/tty/ttyUSB2` of a serial converter, `tty/ttyACM0` of a modem of the communications class. */
async function ttyOf(path: string): Promise<string> {
  const own = await entries(path);
  const converter = own.find((name) => /^ttyUSB\d+$/.test(name));
  const name = converter ?? (own.includes('tty') ? (await entries(join(path, 'tty')))[0] : undefined);
  return name === undefined ? '' : `/dev/${name}`;
}

function entries(path: string): Promise<string[]> {
  return readdir(path).catch(() => []);
}

async function text(path: string): Promise<string> {
  const octets = await readFile(path, 'utf8').catch(() => '');
  return octets.trim().slice(0, MOST_TEXT);
}
