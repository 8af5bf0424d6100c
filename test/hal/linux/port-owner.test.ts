import { describe, expect, it } from 'vitest';
import { describeUdpPortOwner, socketInodes, tableAddress } from '../../../hal/linux/port-owner.ts';
import { describeOnLinux } from '../contract/run.ts';
import { portOwnerCases } from './port-owner-cases.ts';

const TABLE = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  1: 00000000:06A5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12345 2 0000000000000000 0
  2: 0100007F:06A5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12346 2 0000000000000000 0
  3: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 12347 2 0000000000000000 0
`;

describe('socketInodes', () => {
  const any = (): boolean => true;

  it('finds every socket of the port', () => {
    expect([...socketInodes(TABLE, 1701, any)]).toEqual(['12345', '12346']);
    expect([...socketInodes(TABLE, 53, any)]).toEqual(['12347']);
    expect([...socketInodes(TABLE, 54, any)]).toEqual([]);
  });

  it('leaves out those whose address is not in the way', () => {
    expect([...socketInodes(TABLE, 1701, (local) => local === tableAddress('127.0.0.1'))]).toEqual(['12346']);
  });

  it('takes nothing from a malformed table', () => {
    expect([...socketInodes('\n:\n 1: 2\n', 1701, any)]).toEqual([]);
  });
});

describe('tableAddress', () => {
  it.each([
    ['127.0.0.1', '0100007F'],
    ['0.0.0.0', '00000000'],
    ['::', '00000000000000000000000000000000'],
    ['2001:db8::1:2', 'B80D0120000000000000000002000100'],
    ['no address', ''],
  ])('%s is %j', (address, text) => {
    expect(tableAddress(address)).toBe(text);
  });
});

describe('describeUdpPortOwner', () => {
  it('says that another process has the port when none can be seen', () => {
    expect(describeUdpPortOwner({ family: 4, address: '0.0.0.0', port: 0 })).toBe('Another process has the port');
  });
});

describeOnLinux(portOwnerCases);
