import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MachineIdentity } from '../machine-identity.ts';

/** @param root what stands for `/`, in tests. */
export async function machineIdentity(root = '/'): Promise<MachineIdentity> {
  const read = (path: string): Promise<string> => readFile(join(root, path), 'latin1').catch(() => '');
  const [compatible, vendor, product, devices] = await Promise.all([
    read('proc/device-tree/compatible'),
    read('sys/class/dmi/id/sys_vendor'),
    read('sys/class/dmi/id/product_name'),
    readdir(join(root, 'sys/class/net')).catch(() => []),
  ]);
  return {
    compatible: compatible.split('\0').filter((name) => name !== ''),
    vendor: vendor.trim(),
    product: product.trim(),
    devices,
  };
}
