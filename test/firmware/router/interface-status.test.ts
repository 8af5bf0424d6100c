import { expect, it } from 'vitest';
import { EMPTY_CONFIGURATION } from '../../../firmware/config/empty.ts';
import type { Configuration } from '../../../firmware/config/schema.ts';
import { interfaceStatus } from '../../../firmware/router/interface-status.ts';
import type { Links } from '../../../hal/links.ts';

const LINK = { index: 1, up: true, mtu: 1500 };
const links = {
  linksAndAddresses: async () => ({
    links: [
      { ...LINK, name: 'lo', mac: '00:00:00:00:00:00' },
      { ...LINK, name: 'eth0', mac: '52:54:00:00:00:01' },
      { ...LINK, name: 'eth1', mac: '52:54:00:00:00:02', up: false },
      { ...LINK, name: 'l2tp-hq', mac: '' },
    ],
    addresses: [{ device: 'eth0', address: '10.20.0.9/24' }],
  }),
} as unknown as Links;

it('tells the interfaces of the configuration, and the devices that are there, but for loopback and tunnels', async () => {
  const interfaces: Configuration['interfaces'] = {
    wan: { device: 'eth0', zone: 'wan' },
    usb: { device: 'usb0', zone: 'wan' },
  };
  expect(await interfaceStatus({ ...EMPTY_CONFIGURATION, interfaces }, links)).toMatchObject({
    interfaces: [
      { name: 'wan', state: 'up', addresses: ['10.20.0.9/24'] },
      { name: 'usb', state: 'failed', reason: 'there is no network device usb0' },
    ],
    devices: [
      { name: 'eth0', up: true, mac: '52:54:00:00:00:01' },
      { name: 'eth1', up: false, mac: '52:54:00:00:00:02' },
    ],
  });
});
