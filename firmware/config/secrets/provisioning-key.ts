/** The provisioning key of this router: bundles are encrypted to it. It follows from the device key, and goes with it. */
import { hkdfSync, type KeyObject } from 'node:crypto';
import { KEY_OCTETS, privateKeyFrom } from '../../protocol/provisioning/bundle-keys.ts';
import { readKeyFile } from './key-file.ts';

/** X25519; `undefined` while there is no device key. @throws KeyFileError, or the system's error. */
export async function loadProvisioningKey(keyDirectory: string): Promise<KeyObject | undefined> {
  const raw = await readKeyFile(keyDirectory);
  if (raw === undefined) return undefined;
  // Derived apart from what seals (RFC 5869): neither tells anything of the other.
  return privateKeyFrom(new Uint8Array(hkdfSync('sha256', raw, new Uint8Array(), 'culvert provisioning', KEY_OCTETS)));
}
