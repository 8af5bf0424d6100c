/** What is plugged into USB, and which serial lines and network interfaces its functions are. */

export interface UsbInterface {
  /** bInterfaceNumber, 0..255: it stays the same when `ttyUSB2` becomes `ttyUSB6`. */
  readonly number: number;
  /** bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol. */
  readonly class: number;
  readonly subclass: number;
  readonly protocol: number;
  /** `option`, `cdc_ether`; empty when no driver has it. */
  readonly driver: string;
  /** `/dev/ttyUSB2`; empty when it is none. */
  readonly tty: string;
  /** `usb0`, `wwan0`; empty when it is none. */
  readonly network: string;
}

export interface UsbDevice {
  /** Vendor and product: `2c7c:0125`. */
  readonly id: string;
  /** Bus and ports that lead to it: `1-1.2`. The same socket has the same one. */
  readonly location: string;
  /** What it says of itself; empty where it says nothing. Not to be trusted. */
  readonly manufacturer: string;
  readonly product: string;
  readonly serial: string;
  /** By number. */
  readonly interfaces: readonly UsbInterface[];
}

export interface UsbDevices {
  /** By location. Without USB there are none. Never rejects. */
  list(): Promise<readonly UsbDevice[]>;
}
