import type { BoardDescription } from './board.ts';
import { usbModems } from './usb-modems.ts';

/**
 * Facts: arch/arm64/boot/dts/rockchip/rk3568-nanopi-r5s.dts (names of LEDs from colour and function; the alias makes the gigabit
 * port eth0); WAN and LAN as on the case and in OpenWrt's board.d/02_network for rockchip/armv8. Its one button is for MaskROM mode.
 */
export const nanopiR5s: BoardDescription = {
  name: 'nanopi-r5s',
  description: 'FriendlyElec NanoPi R5S: one gigabit WAN port, two LAN ports of 2.5 gigabit',
  match: { compatible: ['friendlyarm,nanopi-r5s', 'friendlyelec,nanopi-r5s'] },
  nics: [
    { device: 'eth0', role: 'wan', label: 'WAN' },
    { device: 'eth1', role: 'lan', label: 'LAN1' },
    { device: 'eth2', role: 'lan', label: 'LAN2' },
  ],
  leds: [
    { purpose: 'power', devices: ['red:power'] },
    { purpose: 'wan', devices: ['green:wan'] },
    { purpose: 'lan', devices: ['green:lan-1'], nic: 'eth1' },
    { purpose: 'lan', devices: ['green:lan-2'], nic: 'eth2' },
  ],
  buttons: [],
  factoryLan: { device: 'eth1', address: '192.168.88.1/24' },
  modem: { usb: usbModems },
  watchdog: { device: '/dev/watchdog', timeoutSeconds: 30 },
};
