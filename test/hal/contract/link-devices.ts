/** What a link is made of: its carrier, its MAC address, and VLANs. */
import assert from 'node:assert/strict';
import { HalError } from '../../../hal/hal-error.ts';
import type { Link } from '../../../hal/links.ts';
import type { ContractCase } from './contract.ts';
import type { LinksWorld } from './links.ts';

const rejection = (code: string): { name: string; code: string } => ({ name: 'HalError', code });

async function linkOf({ links }: LinksWorld, device: string): Promise<Link | undefined> {
  return (await links.links()).find(({ name }) => name === device);
}

/** Runs it, unless this kernel has no VLANs: then that has to be said. */
async function withVlans(world: LinksWorld, run: () => Promise<void>): Promise<void> {
  try {
    await world.links.addVlan('cvvlan7', { parent: world.device, id: 7 });
  } catch (error) {
    if (!(error instanceof HalError) || error.code !== 'EOPNOTSUPP') throw error;
    assert.match(error.message, /VLAN 7 of \S+ cannot be added as cvvlan7 .* takes CONFIG_VLAN_8021Q/);
    return;
  }
  await run();
  await world.links.removeVlan('cvvlan7').catch(() => undefined);
}

export const linkDeviceCases: readonly ContractCase<LinksWorld>[] = [
  {
    name: 'a link has carrier while it is up and its cable leads somewhere',
    run: async (world) => {
      const { links, device, plug } = world;
      const carrier = async (): Promise<boolean | undefined> => (await linkOf(world, device))?.carrier;
      assert.equal(await carrier(), true);
      plug(false);
      assert.equal(await carrier(), false);
      await links.setUp(device, false);
      plug(true);
      assert.equal(await carrier(), false);
      await links.setUp(device, true);
      assert.equal(await carrier(), true);
      assert.equal((await links.linksAndAddresses()).links.find(({ name }) => name === device)?.carrier, true);
    },
  },
  {
    name: 'a MAC address can be set, and only one that a device can have',
    run: async (world) => {
      const { links, device } = world;
      await links.setUp(device, false);
      await links.setMac(device, '02:00:00:00:AB:CD');
      assert.equal((await linkOf(world, device))?.mac, '02:00:00:00:ab:cd');
      for (const mac of ['01:00:00:00:00:01', '00:00:00:00:00:00', '02:00', ''])
        await assert.rejects(links.setMac(device, mac), rejection('EINVAL'), mac);
      await assert.rejects(links.setMac('cvnone', '02:00:00:00:00:01'), rejection('ENODEV'));
    },
  },
  {
    name: 'a VLAN is made on a device, is told as one, and is removed; or the kernel has none, which is said in words',
    run: async (world) =>
      withVlans(world, async () => {
        const { links, device } = world;
        const made = await linkOf(world, 'cvvlan7');
        assert.deepEqual(made?.vlan, { parent: device, id: 7 });
        assert.equal(made.up, false);
        assert.equal(made.mac, (await linkOf(world, device))?.mac);
        assert.equal((await linkOf(world, device))?.vlan, undefined);
        const { links: told } = await links.state();
        assert.deepEqual(
          told.find(({ name }) => name === 'cvvlan7'),
          made,
        );
        await assert.rejects(links.addVlan('cvvlan7', { parent: device, id: 8 }), rejection('EEXIST'));
        await assert.rejects(links.addVlan('cvvlan8', { parent: device, id: 7 }), rejection('EEXIST'));
        await links.setUp('cvvlan7', true);
        await links.addAddress('cvvlan7', '10.77.0.1/24');
        await links.removeVlan('cvvlan7');
        assert.equal(await linkOf(world, 'cvvlan7'), undefined);
        assert.equal(
          (await links.addresses()).some((entry) => entry.device === 'cvvlan7'),
          false,
        );
      }),
  },
  {
    name: 'a VLAN is not up while its device is down',
    run: async (world) =>
      withVlans(world, async () => {
        const { links, device } = world;
        await links.setUp('cvvlan7', true);
        await links.setUp(device, false);
        assert.equal((await linkOf(world, 'cvvlan7'))?.up, false);
        await assert.rejects(links.setUp('cvvlan7', true), rejection('ENETDOWN'));
      }),
  },
  {
    name: 'what is no VLAN is refused',
    run: async ({ links, device }) => {
      for (const id of [0 - 1, 4095, 1.5])
        await assert.rejects(links.addVlan('cvvlan7', { parent: device, id }), rejection('EINVAL'), `${id}`);
      await assert.rejects(links.removeVlan('cvnone'), rejection('ENODEV'));
    },
  },
];
