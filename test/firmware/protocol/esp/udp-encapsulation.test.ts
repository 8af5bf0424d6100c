import { describe, expect, it } from 'vitest';
import {
  classifyEncapsulated,
  NatKeepaliveTimer,
  natKeepalive,
  withNonEspMarker,
} from '../../../../firmware/protocol/esp/udp-encapsulation.ts';
import { octets, pair, seal } from './harness.ts';

function classify(hex: string): string {
  const bytes = octets(`aaaa${hex}aaaa`);
  return classifyEncapsulated(bytes, 2, bytes.length - 4);
}

describe('a datagram on port 4500', () => {
  it('is a keepalive when it is the one octet 0xff', () => {
    expect(classify('ff')).toBe('keepalive');
    expect(classifyEncapsulated(natKeepalive(), 0, 1)).toBe('keepalive');
  });

  it('is IKE behind four octets of zero', () => {
    expect(classify('00000000 0102030405060708')).toBe('ike');
    expect(classify('00000000')).toBe('ike');
    const message = octets('0102030405060708');
    expect(withNonEspMarker(message)).toEqual(octets('00000000 0102030405060708'));
    expect(message).toEqual(octets('0102030405060708'));
  });

  it('is ESP otherwise, if it is as long as the header of ESP', () => {
    expect(classify('00000001 00000001')).toBe('esp');
    expect(classify('ffffffff 00000001 00')).toBe('esp');
    const packet = seal(pair().outbound, octets('01'));
    expect(classifyEncapsulated(packet, 0, packet.length)).toBe('esp');
  });

  it('is malformed when it is none of them', () => {
    for (const hex of ['', '00', 'fe', 'ffff', '000000', 'ffffff', '00000001', 'ffffffff000000']) {
      expect(classify(hex), hex).toBe('malformed');
    }
  });
});

describe('the NAT keepalive', () => {
  it('is due after 20 seconds of silence, and again after each 20 more', () => {
    const timer = new NatKeepaliveTimer(1000);
    timer.tick(20_999);
    expect(timer.poll()).toBeUndefined();
    expect(timer.nextDeadline()).toBe(21_000);
    timer.tick(21_000);
    timer.tick(21_000);
    expect(timer.poll()).toEqual({ kind: 'send-keepalive' });
    expect(timer.poll()).toBeUndefined();
    expect(timer.nextDeadline()).toBe(41_000);
  });

  it('is put off by whatever else is sent', () => {
    const timer = new NatKeepaliveTimer(0, 5);
    timer.sent(4000);
    timer.tick(5000);
    expect(timer.poll()).toBeUndefined();
    expect(timer.nextDeadline()).toBe(9000);
  });
});
