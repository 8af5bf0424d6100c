import type { BoardDescription } from './board.ts';
import { usbModems } from './usb-modems.ts';

/**
 * A carrier with a second Ethernet port on the module's PCI Express lane (Realtek RTL8111), as DFRobot and Waveshare sell them. The
 * module's own port is eth0. Facts: arch/arm/boot/dts/broadcom/bcm2711-rpi-cm4.dts of the Raspberry Pi kernel.
 */
export const raspberryPiCm4DualNic: BoardDescription = {
  name: 'raspberry-pi-cm4-dual-nic',
  description: 'Raspberry Pi Compute Module 4 on a carrier with two Ethernet ports',
  match: { compatible: ['raspberrypi,4-compute-module'], devices: ['eth0', 'eth1'] },
  nics: [
    { device: 'eth0', role: 'wan' },
    { device: 'eth1', role: 'lan' },
  ],
  leds: [
    { purpose: 'power', devices: ['PWR', 'led1'] },
    { purpose: 'status', devices: ['ACT', 'led0'] },
  ],
  buttons: [],
  factoryLan: { device: 'eth1', address: '192.168.88.1/24' },
  consoleDevice: '/dev/ttyGS0',
  modem: { usb: usbModems },
  watchdog: { device: '/dev/watchdog', timeoutSeconds: 15 },
};
