import type { BoardDescription } from './board.ts';
import { usbModems } from './usb-modems.ts';

/**
 * Of PCs only those are known by themselves that are sold as routers: nobody's workstation shall be one for having started this
 * program. Facts: drivers/platform/x86/pcengines-apuv2.c (LEDs, and a button that is KEY_RESTART); ports as in OpenWrt's board.d for x86.
 */
export const pcAmd64: BoardDescription = {
  name: 'pc-amd64',
  description: 'a PC with two Ethernet ports; LEDs and button of PC Engines boards where they are',
  match: { dmi: [{ vendor: 'PC Engines' }] },
  nics: [
    { device: 'eth0', role: 'wan' },
    { device: 'eth1', role: 'lan' },
  ],
  leds: [
    { purpose: 'power', devices: ['apu:green:1', 'apu2:green:led1'] },
    { purpose: 'lan', devices: ['apu:green:2', 'apu2:green:led2'], nic: 'eth1' },
    { purpose: 'status', devices: ['apu:green:3', 'apu2:green:led3'] },
  ],
  buttons: [{ purpose: 'reset', key: 408 }],
  factoryLan: { device: 'eth1', address: '192.168.88.1/24' },
  consoleDevice: '/dev/ttyS0',
  modem: { usb: usbModems },
  watchdog: { device: '/dev/watchdog', timeoutSeconds: 60 },
};
