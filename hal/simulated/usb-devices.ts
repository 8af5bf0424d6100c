import type { UsbDevice, UsbDevices, UsbInterface } from '../usb-devices.ts';

/** A USB with what a test plugs in. */
export class SimulatedUsbDevices implements UsbDevices {
  #devices: readonly UsbDevice[] = [];

  async list(): Promise<readonly UsbDevice[]> {
    return this.#devices;
  }

  /**
   * Plugs a device in; one at the same location is replaced.
   * @param interfaces by number; what is left out is vendor-specific and nothing.
   */
  plug(
    device: Pick<UsbDevice, 'id' | 'location'> & Partial<UsbDevice>,
    interfaces: Readonly<Record<number, Partial<UsbInterface>>>,
  ): void {
    this.unplug(device.location);
    const whole: UsbDevice = {
      manufacturer: '',
      product: '',
      serial: '',
      ...device,
      interfaces: Object.entries(interfaces).map(([number, one]) => ({
        number: Number(number),
        class: 0xff,
        subclass: 0xff,
        protocol: 0xff,
        driver: one.tty === undefined ? '' : 'option',
        tty: '',
        network: '',
        ...one,
      })),
    };
    this.#devices = [...this.#devices, whole].toSorted((a, b) => (a.location < b.location ? -1 : 1));
  }

  unplug(location: string): void {
    this.#devices = this.#devices.filter((device) => device.location !== location);
  }
}
