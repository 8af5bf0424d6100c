import type { BoardDescription } from './board.ts';
import { usbModems } from './usb-modems.ts';

/**
 * Facts: arch/arm/boot/dts/broadcom/bcm2711-rpi-4-b.dts. Before Linux 5.10 the LEDs were led1 and led0. It has no button; one
 * on a header pin belongs into a board file of one's own (chip `pinctrl-bcm2711`).
 */
export const raspberryPi4: BoardDescription = {
  name: 'raspberry-pi-4',
  description: 'Raspberry Pi 4 Model B: one Ethernet port, WAN by a USB modem or adapter',
  match: { compatible: ['raspberrypi,4-model-b'] },
  nics: [{ device: 'eth0', role: 'lan' }],
  leds: [
    { purpose: 'power', devices: ['PWR', 'led1'] },
    { purpose: 'status', devices: ['ACT', 'led0'] },
  ],
  buttons: [],
  factoryLan: { device: 'eth0', address: '192.168.88.1/24' },
  // The USB-C socket as a serial gadget.
  consoleDevice: '/dev/ttyGS0',
  modem: { usb: usbModems },
  // bcm2835_wdt counts to 15 s.
  watchdog: { device: '/dev/watchdog', timeoutSeconds: 15 },
};
