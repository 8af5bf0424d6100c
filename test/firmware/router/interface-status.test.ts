import { expect, it } from 'vitest';
import { interfacesText } from '../../../firmware/cli/status-text.ts';
import { EMPTY_CONFIGURATION } from '../../../firmware/config/empty.ts';
import type { Configuration } from '../../../firmware/config/schema.ts';
import { interfaceStatus, type PortSurroundings } from '../../../firmware/router/interface-status.ts';
import type { Links } from '../../../hal/links.ts';

const LINK = { index: 1, up: true, carrier: true, mtu: 1500 };
const links = {
  linksAndAddresses: async () => ({
    links: [
      { ...LINK, name: 'lo', mac: '00:00:00:00:00:00' },
      { ...LINK, name: 'eth0', mac: '52:54:00:00:00:01' },
      { ...LINK, name: 'eth1', mac: '52:54:00:00:00:02', up: false, carrier: false },
      { ...LINK, name: 'l2tp-hq', mac: '' },
    ],
    addresses: [{ device: 'eth0', address: '10.20.0.9/24' }],
  }),
} as unknown as Links;

const surroundings: PortSurroundings = {
  links,
  speeds: { read: (device) => (device === 'eth0' ? { megabits: 2500, fullDuplex: true } : undefined) },
  nics: [
    { device: 'eth0', role: 'wan' },
    { device: 'eth1', role: 'lan', label: 'LAN1' },
  ],
};
const interfaces: Configuration['interfaces'] = {
  wan: { device: 'eth0', zone: 'wan' },
  lan: { device: 'eth1', zone: 'lan' },
  usb: { device: 'usb0', zone: 'wan' },
};

it('tells the interfaces of the configuration, and the devices that are there, but for loopback and tunnels', async () => {
  expect(await interfaceStatus({ ...EMPTY_CONFIGURATION, interfaces }, surroundings)).toMatchObject({
    interfaces: [
      { name: 'wan', state: 'up', addresses: ['10.20.0.9/24'] },
      { name: 'lan', state: 'down', addresses: [] },
      { name: 'usb', state: 'failed', reason: 'there is no network device usb0' },
    ],
    devices: [
      { name: 'eth0', up: true, mac: '52:54:00:00:00:01' },
      { name: 'eth1', up: false, mac: '52:54:00:00:00:02' },
    ],
  });
});

it('tells what is known of the port and its cable', async () => {
  const { interfaces: found } = await interfaceStatus({ ...EMPTY_CONFIGURATION, interfaces }, surroundings);
  expect(found[0]).toMatchObject({ carrier: true, speedMegabits: 2500, fullDuplex: true, role: 'wan' });
  expect(found[1]).toMatchObject({ carrier: false, role: 'lan', label: 'LAN1' });
  expect(found[1]).not.toHaveProperty('speedMegabits');
  expect(interfacesText(found)).toEqual([
    'NAME  STATE   DEVICE       LINK         ZONE  ADDRESSES     MTU',
    'wan   up      eth0 (WAN)   2500 Mbit/s  wan   10.20.0.9/24  1500',
    'lan   down    eth1 (LAN1)  no           lan   -             1500',
    'usb   failed  usb0         -            wan   -             -',
    'usb: there is no network device usb0; plug it in, or correct the device of this interface',
  ]);
});
