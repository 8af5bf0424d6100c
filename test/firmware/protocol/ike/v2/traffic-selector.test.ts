import { describe, expect, it } from 'vitest';
import type { TrafficSelector } from '../../../../../firmware/protocol/ike/ike-types.ts';
import {
  anySelector,
  atAddress,
  hostSelector,
  isWithin,
  narrow,
  selectorsText,
} from '../../../../../firmware/protocol/ike/v2/traffic-selector.ts';
import { net } from './harness.ts';

describe('narrowing traffic selectors (RFC 7296 section 2.9)', () => {
  it('keeps what both want', () => {
    expect(narrow([anySelector(4)], [net('10.1.0')])).toEqual([net('10.1.0')]);
    expect(narrow([net('10.1.0')], [anySelector(4)])).toEqual([net('10.1.0')]);
  });

  it('keeps nothing of different networks, families, protocols or ports', () => {
    const udp = (port: number): TrafficSelector => hostSelector('192.0.2.1', 17, port);
    expect(narrow([net('10.1.0')], [net('10.2.0')])).toEqual([]);
    expect(narrow([anySelector(6)], [anySelector(4)])).toEqual([]);
    expect(narrow([udp(1701)], [{ ...udp(1701), protocol: 6 }])).toEqual([]);
    expect(narrow([udp(1701)], [udp(1702)])).toEqual([]);
  });

  it('takes the narrower protocol and ports of either side', () => {
    const wide = hostSelector('192.0.2.1', 0, 0);
    const narrowOne = hostSelector('192.0.2.1', 17, 1701);
    expect(narrow([wide], [narrowOne])).toEqual([narrowOne]);
    expect(narrow([narrowOne], [wide])).toEqual([narrowOne]);
  });

  it('says a packet and its network, as some peers offer them, in one selector', () => {
    const packet = hostSelector('10.1.0.7', 17, 53);
    expect(narrow([packet, net('10.1.0')], [anySelector(4)])).toEqual([net('10.1.0')]);
  });

  it('works for IPv6 ranges', () => {
    const range = (first: string, last: string): TrafficSelector => ({
      ...anySelector(6),
      firstAddress: first,
      lastAddress: last,
    });
    expect(narrow([range('2001:db8::', '2001:db8::ff')], [range('2001:db8::80', '2001:db8:1::')])).toEqual([
      range('2001:db8::80', '2001:db8::ff'),
    ]);
  });

  it('tells what lies within what', () => {
    expect(isWithin([net('10.1.0')], [anySelector(4)])).toBe(true);
    expect(isWithin([anySelector(4)], [net('10.1.0')])).toBe(false);
  });

  it('moves selectors to the address that a NAT shows', () => {
    const moved = atAddress([hostSelector('192.168.1.10', 17, 1701)], '198.51.100.7');
    expect(moved).toEqual([hostSelector('198.51.100.7', 17, 1701)]);
    expect(selectorsText(moved)).toBe('198.51.100.7 protocol 17 port 1701');
  });
});
