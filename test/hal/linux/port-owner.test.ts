import { describe, expect, it } from 'vitest';
import { describeUdpPortOwner, socketInodes } from '../../../hal/linux/port-owner.ts';

const TABLE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  1: 00000000:06A5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12345 2 0000000000000000 0
  2: 0100007F:06A5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12346 2 0000000000000000 0
  3: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12347 2 0000000000000000 0
`;

describe('socketInodes', () => {
  it('finds every socket of the port, whatever its address', () => {
    expect([...socketInodes(TABLE, 1701)]).toEqual(['12345', '12346']);
    expect([...socketInodes(TABLE, 53)]).toEqual(['12347']);
    expect([...socketInodes(TABLE, 54)]).toEqual([]);
  });

  it('takes nothing from a malformed table', () => {
    expect([...socketInodes('\n:\n 1: 2\n', 1701)]).toEqual([]);
  });
});

describe('describeUdpPortOwner', () => {
  it('says that another process has the port when none can be seen', () => {
    expect(describeUdpPortOwner({ family: 4, port: 0 })).toBe('Another process has the port');
  });
});
