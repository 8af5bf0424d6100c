import { describe, expect, it } from 'vitest';
import { modemPorts } from '../../../../firmware/uplink/modem/port-finder.ts';
import { SimulatedUsbDevices } from '../../../../hal/simulated/usb-devices.ts';
import type { UsbInterface } from '../../../../hal/usb-devices.ts';

const LINES = { 0: { tty: '/dev/ttyUSB4' }, 2: { tty: '/dev/ttyUSB6' }, 3: { tty: '/dev/ttyUSB7' } };

async function devices(
  id: string,
  location = '1-1',
  interfaces: Readonly<Record<number, Partial<UsbInterface>>> = LINES,
) {
  const usb = new SimulatedUsbDevices();
  usb.plug({ id, location }, interfaces);
  usb.plug({ id: '0403:6001', location: '1-9' }, { 0: { tty: '/dev/ttyUSB0' } });
  return usb.list();
}

describe('the ports of a modem', () => {
  it('are those of the table, by interface number; then any other line of it', async () => {
    const all = modemPorts({ baud: 115200 }, await devices('2c7c:0125'));
    expect(all[0]).toMatchObject({
      control: '/dev/ttyUSB6',
      data: '/dev/ttyUSB7',
      where: 'Quectel EC25/EG25 (2c7c:0125) on USB 1-1',
    });
    expect(all.slice(1).map(({ control, data }) => [control, data])).toEqual([
      ['/dev/ttyUSB4', undefined],
      ['/dev/ttyUSB7', undefined],
    ]);
  });

  it('are none of a serial converter, unless it is named', async () => {
    const others = await devices('046d:c31c');
    expect(modemPorts({ baud: 115200 }, others)).toEqual([]);
    expect(modemPorts({ baud: 115200, usb: '0403:6001' }, others)).toMatchObject([{ control: '/dev/ttyUSB0' }]);
    expect(modemPorts({ baud: 115200, usb: '0403:6001@1-8' }, others)).toEqual([]);
  });

  it('have the network interface where a DHCP client can use it', async () => {
    const wan = (driver: string) => ({ 2: { tty: '/dev/ttyUSB2' }, 4: { network: 'wwan0', driver } });
    const network = async (driver: string) =>
      modemPorts({ baud: 115200 }, await devices('2c7c:0125', '1-1', wan(driver)))[0]?.network;
    expect(await network('cdc_ether')).toBe('wwan0');
    expect(await network('qmi_wwan')).toBeUndefined();
  });

  it('on a UART are tried at several speeds, elsewhere at one', () => {
    expect(modemPorts({ device: '/dev/ttyS1', baud: 57600 }, []).map(({ baud }) => baud)).toEqual([
      57600, 115200, 9600, 460800, 921600, 38400,
    ]);
    expect(modemPorts({ device: '/dev/ttyACM0', baud: 57600 }, [])).toHaveLength(1);
  });
});
