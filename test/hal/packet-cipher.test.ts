import { describe, expect, it } from 'vitest';
import { TRANSFORMS } from '../../firmware/protocol/ike/transforms.ts';
import { LinuxPacketCipherFactory } from '../../hal/linux/packet-cipher.ts';
import type { PacketCipherFactory } from '../../hal/packet-cipher.ts';
import { PACKET_ENCRYPTIONS, PACKET_INTEGRITIES } from '../../hal/packet-cipher-suite.ts';
import { PortablePacketCipherFactory } from '../../hal/portable/packet-cipher.ts';
import { suiteOf } from './contract/contract.ts';
import { packetCipherContract } from './contract/packet-cipher.ts';

const FACTORIES: readonly (readonly [string, () => PacketCipherFactory, string])[] = [
  ['EVP', () => new LinuxPacketCipherFactory(), 'evp'],
  ['Linux without the symbols of EVP', () => new LinuxPacketCipherFactory(() => undefined), 'node:crypto'],
  ['node:crypto', () => new PortablePacketCipherFactory(), 'node:crypto'],
];

for (const [name, make, engine] of FACTORIES) {
  describe(`packet ciphers, ${name}`, () => {
    const suite = suiteOf(packetCipherContract, () => ({ world: make(), close: () => undefined }));
    for (const { name: sentence, run } of suite.cases) it(sentence, run);

    it(`says that it is ${engine}`, () => expect(make().engine).toBe(engine));
  });
}

describe('the table of packet algorithms', () => {
  it('has every algorithm that IKE negotiates for ESP, with the same sizes', () => {
    for (const row of TRANSFORMS) {
      if (row.kind === 'encryption') {
        const { mode, cipher, keyOctets, saltOctets, ivOctets, blockOctets, icvOctets } = row;
        const sizes = { mode, cipher, keyOctets, saltOctets, ivOctets, blockOctets, icvOctets };
        expect(PACKET_ENCRYPTIONS.get(row.name), row.name).toEqual(sizes);
      } else if (row.kind === 'integrity') {
        const { hash, keyOctets, icvOctets } = row;
        expect(PACKET_INTEGRITIES.get(row.name), row.name).toEqual({ digest: hash, keyOctets, icvOctets });
      }
    }
  });
});
