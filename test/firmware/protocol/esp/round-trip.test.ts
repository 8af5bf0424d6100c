import { describe, expect, it } from 'vitest';
import type { OpenedPacket } from '../../../../firmware/protocol/esp/receiving-sa.ts';
import type { SealedPacket } from '../../../../firmware/protocol/esp/sending-sa.ts';
import { packetSuites } from '../../../hal/contract/packet-cipher.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { OUTER, open, pair, seal } from './harness.ts';

const seed = Number(process.env['CULVERT_SEED'] ?? 1);
const LONGEST = 1500;

for (const suite of packetSuites(new SeededRandom(seed))) {
  const name = suite.integrity === undefined ? suite.encryption : `${suite.encryption} with ${suite.integrity}`;
  describe(`an SA with ${name} (seed ${seed})`, () => {
    it('gives back every payload of 0 to 1,500 octets as it was', () => {
      const { outbound, inbound } = pair(suite, { extendedSequenceNumbers: name.length % 2 === 0 });
      const payload = Buffer.from(new SeededRandom(seed).bytes(LONGEST));
      const bytes = Buffer.alloc(2048);
      const sealed: SealedPacket = { offset: 0, length: 0 };
      const opened: OpenedPacket = { offset: 0, length: 0, nextHeader: 0 };
      const wrong: number[] = [];
      for (let length = 0; length <= LONGEST; length++) {
        payload.copy(bytes, 100, 0, length);
        const nextHeader = length % 59;
        const verdict = outbound.seal(bytes, 100, length, nextHeader, 0, sealed);
        const back = inbound.open(bytes, sealed.offset, sealed.length, OUTER, 0, opened);
        const same = bytes.compare(payload, 0, length, 100, 100 + length) === 0;
        const right = opened.offset === 100 && opened.length === length && opened.nextHeader === nextHeader;
        if (verdict !== 'sealed' || back !== 'deliver' || !same || !right) wrong.push(length);
      }
      expect(wrong).toEqual([]);
      expect(inbound.sequence).toBe(LONGEST + 1);
    });

    it('refuses one flipped bit anywhere, then takes the packet itself, and that but once', () => {
      const { outbound, inbound } = pair(suite, { extendedSequenceNumbers: name.length % 2 === 1 });
      const payload = new SeededRandom(seed).bytes(21);
      const packet = seal(outbound, payload);
      for (let bit = 0; bit < packet.length * 8; bit++) {
        const bad = packet.slice();
        bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const wanted = bit < 32 ? ['wrongSpi'] : bit < 64 ? ['notAuthentic', 'tooOld'] : ['notAuthentic'];
        expect(wanted, `bit ${bit}`).toContain(open(inbound, bad));
      }
      expect(open(inbound, packet)).toEqual({ payload, nextHeader: 17 });
      expect(open(inbound, packet)).toBe('replayed');
    });
  });
}
