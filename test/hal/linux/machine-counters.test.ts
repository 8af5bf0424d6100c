import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { LinuxMachineCounters, parseDevices } from '../../../hal/linux/machine-counters.ts';

describe('the counters of network devices', () => {
  it('are found in what the kernel writes, also where nothing is between a name and its number', () => {
    const text = [
      'Inter-|   Receive                                                |  Transmit',
      ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed',
      '    lo: 1048 12 1 2 0 0 0 0 1050 13 3 4 0 0 0 0',
      'eth0:98765432109 7 0 0 0 0 0 0    42    1 0 0 0 0 0 0',
      'eth0:1: 5 0 0 0 0 0 0 0 6 0 0 0 0 0 0 0',
      '',
    ].join('\n');
    const devices = parseDevices(text);
    expect(devices).toMatchObject([
      ['lo', { received: 1048, sent: 1050 }],
      ['eth0', { received: 98_765_432_109, sent: 42 }],
      ['eth0:1', { received: 5, sent: 6 }],
    ]);
    expect(devices[0]?.[1]).toMatchObject({ packetsReceived: 12, receiveErrors: 1, receiveDrops: 2 });
    expect(devices[0]?.[1]).toMatchObject({ packetsSent: 13, sendErrors: 3, sendDrops: 4 });
  });

  it('are those that sysfs tells, for the devices that were asked for', () => {
    const counters = new LinuxMachineCounters();
    const device = Object.keys(networkInterfaces())[0] ?? 'lo';
    const before = Number(readFileSync(`/sys/class/net/${device}/statistics/rx_bytes`, 'latin1'));
    const found = counters.links([device, 'no-such-device']);
    const after = Number(readFileSync(`/sys/class/net/${device}/statistics/rx_bytes`, 'latin1'));
    expect([...found.keys()]).toEqual([device]);
    expect(found.get(device)?.received).toBeGreaterThanOrEqual(before);
    expect(found.get(device)?.received).toBeLessThanOrEqual(after);
  });
});
