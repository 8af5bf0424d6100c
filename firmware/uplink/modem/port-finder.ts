/** Which serial lines a modem is to be spoken to by: of its USB id and interface numbers, for `ttyUSBn` moves after a reset. */
import type { UsbDevice } from '../../../hal/usb-devices.ts';
import type { ModemConfiguration } from '../../config/modems-schema.ts';
import { type Quirks, quirksOfUsb } from '../../protocol/at/quirks.ts';

export interface ModemPorts {
  /** `/dev/ttyUSB2` */
  readonly control: string;
  /** Where calls have a line of their own. */
  readonly data?: string;
  /** The network interface of the modem, where it has one that a DHCP client can use. */
  readonly network?: string;
  readonly baud: number;
  readonly quirks?: Quirks;
  /** In words: `Quectel EC25/EG25 (2c7c:0125) on USB 1-1.2`. */
  readonly where: string;
}

/** Speeds that a modem on a UART may have been left at. */
const OTHER_SPEEDS = [115_200, 9_600, 460_800, 921_600, 38_400];
/** Paths of lines on which a speed means something. */
const UART = /^\/dev\/tty(S|AMA|SC|mxc|O|THS|PS)\d+$/;
const USB_SPEED = 115_200;
/** Network functions that are an Ethernet with a DHCP server behind it; others want a protocol of their own first. */
const ETHERNET_DRIVERS = ['cdc_ether', 'cdc_ncm', 'huawei_cdc_ncm', 'rndis_host'];

/** What may be tried, the likeliest first; none when there is no modem. */
export function modemPorts(
  configuration: Pick<ModemConfiguration, 'usb' | 'device' | 'baud'>,
  devices: readonly UsbDevice[],
): readonly ModemPorts[] {
  const { usb, device, baud } = configuration;
  if (device !== undefined)
    return deviceSpeeds(device, baud).map((speed) => ({ control: device, baud: speed, where: device }));
  const [id, location] = usb?.split('@') ?? [];
  return devices
    .filter((one) => (id === undefined || one.id === id) && (location === undefined || one.location === location))
    .flatMap((one) => usbPorts(one, id !== undefined));
}

function deviceSpeeds(device: string, baud: number): readonly number[] {
  return UART.test(device) ? [...new Set([baud, ...OTHER_SPEEDS])] : [baud];
}

/** @param meant it was named in the configuration: then any of its lines may be the one. */
function usbPorts(device: UsbDevice, meant: boolean): ModemPorts[] {
  const known = quirksOfUsb(device.id);
  if (known === undefined && !meant) return [];
  const { quirks, ports } = known ?? {};
  const network = device.interfaces.find(
    ({ network: name, driver }) => name !== '' && ETHERNET_DRIVERS.includes(driver),
  );
  const name = quirks === undefined ? 'modem' : `${quirks.vendor} ${ports?.model ?? (device.product || 'modem')}`;
  const rest = {
    baud: USB_SPEED,
    where: `${name} (${device.id}) on USB ${device.location}`,
    ...(network !== undefined && { network: network.network }),
    ...(quirks !== undefined && { quirks }),
  };
  const line = (number: number | undefined) => device.interfaces.find((one) => one.number === number)?.tty ?? '';
  const [control, data] = [line(ports?.at), line(ports?.data)];
  const lines = device.interfaces.map(({ tty }) => tty).filter((tty) => tty !== '');
  const table = control === '' ? [] : [{ control, ...(data !== '' && data !== control && { data }), ...rest }];
  // The table may be wrong for this firmware: whatever line answers will do.
  return [...table, ...lines.filter((tty) => tty !== control).map((tty) => ({ control: tty, ...rest }))];
}
