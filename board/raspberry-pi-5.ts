import type { BoardDescription } from './board.ts';
import { usbModems } from './usb-modems.ts';

/**
 * Facts: arch/arm64/boot/dts/broadcom/bcm2712-rpi-5-b.dts of the Raspberry Pi kernel. Its one button is the power button
 * (KEY_POWER), which belongs to the system; one on a header pin belongs into a board file of one's own (chip `pinctrl-rp1`).
 */
export const raspberryPi5: BoardDescription = {
  name: 'raspberry-pi-5',
  description: 'Raspberry Pi 5: one Ethernet port, WAN by a USB modem or adapter',
  match: { compatible: ['raspberrypi,5-model-b'] },
  nics: [{ device: 'eth0', role: 'lan' }],
  leds: [
    { purpose: 'power', devices: ['PWR'] },
    { purpose: 'status', devices: ['ACT'] },
  ],
  buttons: [],
  factoryLan: { device: 'eth0', address: '192.168.88.1/24' },
  consoleDevice: '/dev/ttyGS0',
  modem: { usb: usbModems },
  watchdog: { device: '/dev/watchdog', timeoutSeconds: 15 },
};
