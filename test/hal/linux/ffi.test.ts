import { describe, expect, it } from 'vitest';
import { assertSupportedAbi } from '../../../hal/linux/ffi/abi.ts';
import { CMSGHDR, IN6_PKTINFO, MSGHDR } from '../../../hal/linux/ffi/layout.ts';
import { bind, ioctl, poll, read, recvmsg, sendmsg, setsockopt, write } from '../../../hal/linux/ffi/libc.ts';
import { Message } from '../../../hal/linux/ffi/message.ts';
import { AddressOctets, AddressTexts } from '../../../hal/linux/ffi/socket-address.ts';

describe('assertSupportedAbi', () => {
  it.each([
    ['linux', 'x64', 'LE'],
    ['linux', 'arm64', 'LE'],
  ])('accepts %s on %s (%s)', (platform, arch, endian) => {
    expect(() => assertSupportedAbi(platform, arch, endian)).not.toThrow();
  });

  it.each([
    ['linux', 'arm', 'LE'],
    ['linux', 'mips', 'BE'],
    ['linux', 'ppc64', 'LE'],
    ['darwin', 'arm64', 'LE'],
    ['linux', 'arm64', 'BE'],
  ])('refuses %s on %s (%s), in words', (platform, arch, endian) => {
    expect(() => assertSupportedAbi(platform, arch, endian)).toThrow(/64-bit little-endian Linux/);
  });
});

describe('a system call', () => {
  /** No file: a call that got through would answer EBADF, not throw. */
  const NO_FILE = 99_999;

  it.each([
    ['read', () => read(NO_FILE, new Uint8Array(4), 5)],
    ['write', () => write(NO_FILE, new Uint8Array(4), 5)],
    ['write of a negative length', () => write(NO_FILE, new Uint8Array(4), -1)],
    ['write of a fraction', () => write(NO_FILE, new Uint8Array(4), 0.5)],
    ['ioctl', () => ioctl(NO_FILE, 0, new Uint8Array(39), 40)],
    ['bind', () => bind(NO_FILE, new Uint8Array(15), 16)],
    ['setsockopt', () => setsockopt(NO_FILE, 0, 0, new Uint8Array(3), 4)],
    ['recvmsg', () => recvmsg(NO_FILE, new Uint8Array(MSGHDR.size - 1), 0)],
    ['sendmsg', () => sendmsg(NO_FILE, new Uint8Array(MSGHDR.size - 1), 0)],
    ['poll', () => poll(new Uint8Array(8), 2, 0)],
  ])('%s whose length does not fit its buffer throws before it is made', (_name, call) => {
    expect(call).toThrow(RangeError);
  });

  it('answers with the negative error number', () => {
    expect(read(NO_FILE, new Uint8Array(4), 4)).toBe(-9);
    expect(recvmsg(NO_FILE, new Uint8Array(MSGHDR.size), 0)).toBe(-9);
  });
});

describe('Message', () => {
  const visited = (message: Message): readonly (readonly number[])[] => {
    const seen: number[][] = [];
    message.eachControl((level, type, _at, length) => seen.push([level, type, length]));
    return seen;
  };

  it('reads back the control message that it holds', () => {
    const message = new Message();
    const at = message.addControl(41, 50, IN6_PKTINFO.size);
    message.octets[at] = 0xfd;
    expect(visited(message)).toEqual([[41, 50, IN6_PKTINFO.size]]);
    message.clearControl();
    expect(visited(message)).toEqual([]);
  });

  it('aligns its control data as cmsg(3) demands', () => {
    expect((new Message().addControl(0, 8, 12) - CMSGHDR.data) % CMSGHDR.alignment).toBe(0);
  });

  it.each([0, 15, 1000, 0xffff_ffff])('stops at a control message that claims %i octets', (length) => {
    const message = new Message();
    const at = message.addControl(0, 8, 12) - CMSGHDR.data;
    message.view.setUint32(at + CMSGHDR.length, length, true);
    expect(visited(message)).toEqual([]);
  });

  it('refuses what it has no room for', () => {
    expect(() => new Message().addControl(0, 8, 1000)).toThrow(RangeError);
    expect(() => new Message().setNameLength(33)).toThrow(RangeError);
  });
});

describe('the address caches', () => {
  it('give the same text for the same octets, and the right one for thousands of others', () => {
    const texts = new AddressTexts(4);
    const view = new DataView(new ArrayBuffer(8));
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 5000; index++) {
        view.setUint32(4, 0x0a00_0000 + index);
        expect(texts.read(view, 4)).toBe(`10.0.${index >> 8}.${index & 0xff}`);
      }
    }
  });

  it('take the all-zero address for what it is', () => {
    expect(new AddressTexts(6).read(new DataView(new ArrayBuffer(16)), 0)).toBe('::');
  });

  it('take only addresses of their family', () => {
    expect(new AddressOctets(4).get('10.0.0.1')).toEqual(Uint8Array.of(10, 0, 0, 1));
    expect(new AddressOctets(4).get('::1')).toBeUndefined();
    expect(new AddressOctets(6).get('10.0.0.1')).toBeUndefined();
  });
});
