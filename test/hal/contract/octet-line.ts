import assert from 'node:assert/strict';
import type { OctetLine, OctetLineFactory } from '../../../hal/octet-line.ts';
import type { PollerFactory } from '../../../hal/poller.ts';
import type { Contract } from './contract.ts';

export interface OctetLineWorld {
  readonly lines: OctetLineFactory;
  readonly pollers: PollerFactory;
  /** Open, raw, and at one end of a line. */
  readonly descriptor: number;
  farSends(octets: Uint8Array): void;
  /** All that has come there since the last call. */
  farReceived(): Uint8Array;
  /** The line is pulled. */
  pull(): void;
}

function takeAll(line: OctetLine): number[] {
  const into = new Uint8Array(100);
  const all: number[] = [];
  for (let length = line.read(into); length >= 0; length = line.read(into)) all.push(...into.subarray(0, length));
  return all;
}

const EVERY_OCTET = Uint8Array.from({ length: 256 }, (_, octet) => octet);

export const octetLineContract: Contract<OctetLineWorld> = {
  name: 'octet line',
  cases: [
    {
      name: 'every octet passes as it is, both ways',
      run: ({ lines, pollers, descriptor, farSends, farReceived }) => {
        const line = lines.adopt(descriptor);
        assert.equal(line.read(new Uint8Array(10)), -1);
        farSends(EVERY_OCTET);
        const poller = pollers.open();
        poller.add(line.handle);
        assert.deepEqual([...poller.wait(1000)], [line.handle]);
        assert.deepEqual(takeAll(line), [...EVERY_OCTET]);
        assert.deepEqual([...poller.wait(0)], []);
        poller.close();
        assert.equal(line.write(EVERY_OCTET), EVERY_OCTET.length);
        assert.deepEqual(farReceived(), EVERY_OCTET);
      },
    },
    {
      name: 'a line that is full takes a part or nothing, and has room again once it was read',
      run: ({ lines, pollers, descriptor, farReceived }) => {
        const line = lines.adopt(descriptor);
        const poller = pollers.open();
        poller.add(line.handle);
        poller.awaitRoom(line.handle, true);
        assert.deepEqual([...poller.wait(1000)], [line.handle]);
        let written = 0;
        for (let taken = -1; taken !== 0; written += taken) taken = line.write(new Uint8Array(1000).fill(0x41));
        assert.deepEqual([...poller.wait(0)], []);
        let read = 0;
        for (let left = 10; read < written && left > 0; left -= 1) {
          read += farReceived().length;
          assert.deepEqual([...poller.wait(1000)], [line.handle]);
        }
        assert.equal(read, written);
        poller.close();
      },
    },
    {
      name: 'a line that is pulled is ready, and says what happened to whoever reads or writes',
      run: ({ lines, pollers, descriptor, pull }) => {
        const line = lines.adopt(descriptor);
        const poller = pollers.open();
        poller.add(line.handle);
        pull();
        assert.deepEqual([...poller.wait(1000)], [line.handle]);
        assert.throws(() => takeAll(line), { name: 'HalError', message: /hung up/ });
        assert.throws(() => line.write(Uint8Array.of(1)), { name: 'HalError', code: 'EIO' });
        poller.close();
      },
    },
  ],
};
