import type { BoardDescription } from './board.ts';
import { usbModems } from './usb-modems.ts';

/**
 * Router boards whose device tree follows OpenWrt's habits: LEDs named `colour:function`, ports of a switch named wan and lan1 (DSA),
 * a reset button that is KEY_RESTART. A board of its own is found before it, since its name stands before that of its chip.
 */
export const openwrtGeneric: BoardDescription = {
  name: 'openwrt-generic',
  description: 'any router board whose LEDs, ports and buttons have the names that OpenWrt gives them',
  match: {
    compatible: [
      'mediatek,mt7622',
      'mediatek,mt7981',
      'mediatek,mt7986a',
      'mediatek,mt7986b',
      'mediatek,mt7988a',
      'marvell,armada3720',
      'marvell,armada7040',
      'marvell,armada8040',
    ],
  },
  nics: [
    { device: 'wan', role: 'wan' },
    { device: 'lan1', role: 'lan' },
  ],
  leds: [
    { purpose: 'power', devices: ['*:power', '*:status', '*:sys', '*:system'] },
    { purpose: 'wan', devices: ['*:wan', '*:internet', '*:wan-online'] },
    { purpose: 'vpn', devices: ['*:vpn'] },
    { purpose: 'lte', devices: ['*:lte', '*:mobile', '*:wwan', '*:4g'] },
    { purpose: 'lan', devices: ['*:lan', '*:lan1', '*:lan-1'], nic: 'lan1' },
  ],
  buttons: [{ purpose: 'reset', key: 408 }],
  factoryLan: { device: 'lan1', address: '192.168.88.1/24' },
  modem: { usb: usbModems },
  watchdog: { device: '/dev/watchdog', timeoutSeconds: 30 },
};
