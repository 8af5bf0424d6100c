import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LinuxUsbDevices } from '../../hal/linux/usb-devices.ts';
import { SimulatedUsbDevices } from '../../hal/simulated/usb-devices.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'usb-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

/** As sysfs has it: a file for each attribute. */
async function file(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), `${text}\n`);
}

async function device(location: string, id: string): Promise<void> {
  const [vendor = '', product = ''] = id.split(':');
  await file(`${location}/idVendor`, vendor);
  await file(`${location}/idProduct`, product);
}

async function part(name: string, number: string, kind = 'ff/ff/ff'): Promise<void> {
  const [c = '', subclass = '', protocol = ''] = kind.split('/');
  await file(`${name}/bInterfaceNumber`, number);
  await file(`${name}/bInterfaceClass`, c);
  await file(`${name}/bInterfaceSubClass`, subclass);
  await file(`${name}/bInterfaceProtocol`, protocol);
}

describe('USB on Linux', () => {
  it('shows a modem with its serial lines and its network interface', async () => {
    await device('1-1.2', '2c7c:0125');
    await file('1-1.2/product', 'EC25-EU');
    await part('1-1.2:1.2', '02');
    await file('1-1.2:1.2/ttyUSB6/tty/ttyUSB6/dev', '188:6');
    await mkdir(join(root, 'drivers/option'), { recursive: true });
    await symlink('../drivers/option', join(root, '1-1.2:1.2/driver'));
    await part('1-1.2:1.0a', '0a', '02/06/00');
    await file('1-1.2:1.0a/net/usb0/address', 'aa');
    await device('usb1', '1d6b:0002');
    const [modem, ...others] = await new LinuxUsbDevices(root).list();
    expect(others).toEqual([]);
    expect(modem).toEqual({
      id: '2c7c:0125',
      location: '1-1.2',
      manufacturer: '',
      product: 'EC25-EU',
      serial: '',
      interfaces: [
        { number: 2, class: 255, subclass: 255, protocol: 255, driver: 'option', tty: '/dev/ttyUSB6', network: '' },
        { number: 10, class: 2, subclass: 6, protocol: 0, driver: '', tty: '', network: 'usb0' },
      ],
    });
  });

  it('knows lines of the communications class, and tells the interfaces of 1-1 from those of 1-1.2', async () => {
    await device('1-1', '12d1:1506');
    await device('1-1.2', '1e0e:9001');
    await part('1-1:1.0', '00');
    await file('1-1:1.0/tty/ttyACM0/dev', '166:0');
    await part('1-1.2:1.0', '00');
    const all = await new LinuxUsbDevices(root).list();
    expect(all.map(({ id, interfaces }) => [id, interfaces.map(({ tty }) => tty)])).toEqual([
      ['12d1:1506', ['/dev/ttyACM0']],
      ['1e0e:9001', ['']],
    ]);
  });

  it('is empty where there is none, and without what is half gone', async () => {
    expect(await new LinuxUsbDevices(join(root, 'none')).list()).toEqual([]);
    await mkdir(join(root, '1-1'));
    expect(await new LinuxUsbDevices(root).list()).toEqual([]);
  });
});

describe('a simulated USB', () => {
  it('shows what is plugged in', async () => {
    const usb = new SimulatedUsbDevices();
    usb.plug({ id: '2c7c:0125', location: '1-2' }, { 2: { tty: '/dev/ttyUSB2' } });
    usb.plug({ id: '2c7c:0125', location: '1-1' }, { 2: { tty: '/dev/ttyUSB6' } });
    expect((await usb.list()).map(({ interfaces }) => interfaces[0]?.tty)).toEqual(['/dev/ttyUSB6', '/dev/ttyUSB2']);
    usb.unplug('1-1');
    expect(await usb.list()).toHaveLength(1);
  });
});
