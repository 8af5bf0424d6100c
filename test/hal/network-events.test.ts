import { describe, expect, it } from 'vitest';
import { isRouteChange, messagesOf, namesTable } from '../../hal/linux/network-events.ts';
import { networkEventsContract } from './contract/network-events.ts';
import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { simulatedNetworkEventsWorld } from './contract/simulated-worlds.ts';

describeSimulated(networkEventsContract, simulatedNetworkEventsWorld);
describeOnLinux(networkEventsContract);

/** A netlink message: header, then `body`. */
function message(type: number, body: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(16 + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, type, true);
  bytes.set(body, 16);
  return bytes;
}

/** nfgenmsg, then the attribute with the name of the table. */
const named = (table: string): readonly number[] => {
  const name = [...Buffer.from(`${table}\0`)];
  return [1, 0, 0, 0, 4 + name.length, 0, 1, 0, ...name];
};

describe('a message of the kernel', () => {
  it('is told from the next, and one that is cut off is left out', () => {
    const first = message(16, [1, 2, 3, 0]);
    const both = new Uint8Array([...first, ...message(17, [4])]);
    expect(messagesOf(both).map((bytes) => bytes.length)).toEqual([20, 17]);
    expect(messagesOf(both.subarray(0, 30)).map((bytes) => bytes.length)).toEqual([20]);
    expect(messagesOf(message(16, []).fill(0, 0, 4))).toEqual([]);
  });

  it('about a route of the cache is no change', () => {
    const flags = (value: number) => message(24, [2, 32, 0, 0, 254, 3, 0, 1, value & 0xff, value >> 8, 0, 0]);
    expect(isRouteChange(flags(0x200))).toBe(false);
    expect(isRouteChange(flags(0))).toBe(true);
    expect(isRouteChange(message(16, []))).toBe(true);
  });

  it("about somebody else's packet filter table does not concern us", () => {
    expect(namesTable(message(0xa00, named('culvert')), 'culvert')).toBe(true);
    expect(namesTable(message(0xa0c, named('fail2ban')), 'culvert')).toBe(false);
    expect(namesTable(message(0xa0f, [0, 0, 0, 0, 8, 0, 2, 0, 1, 0, 0, 0]), 'culvert')).toBe(false);
    expect(namesTable(message(0xa00, [0, 0, 0, 0, 255, 0, 1, 0]), 'culvert')).toBe(false);
  });
});
