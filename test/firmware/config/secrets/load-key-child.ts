/** Started by device-key.test.ts: `load-key-child.ts DIRECTORY` says `begin`, loads or makes the key and prints its id. */
import { writeSync } from 'node:fs';
import { loadDeviceKey } from '../../../../firmware/config/secrets/device-key.ts';
import { LinuxEntropy } from '../../../../hal/linux/entropy.ts';

const [, , directory = ''] = process.argv;
writeSync(1, 'begin\n');
const loaded = await loadDeviceKey({ directory, random: new LinuxEntropy(), create: true });
writeSync(1, loaded.kind === 'refused' ? `refused: ${loaded.reason}\n` : `${loaded.key.id}\n`);
