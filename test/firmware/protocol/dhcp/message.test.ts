import { describe, expect, it } from 'vitest';
import { ByteWriter, DecodeError } from '../../../../firmware/protocol/bytes.ts';
import { decodeArp, encodeArp } from '../../../../firmware/protocol/dhcp/arp-packet.ts';
import { clientIdentifier } from '../../../../firmware/protocol/dhcp/client-identity.ts';
import { type DhcpMessage, decodeDhcp, encodeDhcp } from '../../../../firmware/protocol/dhcp/message.ts';
import { decodeUdpPacket, encodeUdpPacket } from '../../../../firmware/protocol/dhcp/udp-packet.ts';

const MESSAGE: DhcpMessage = {
  op: 'reply',
  type: 'ACK',
  transactionId: 0xdeadbeef,
  seconds: 3,
  broadcast: true,
  clientAddress: '0.0.0.0',
  yourAddress: '192.0.2.100',
  relayAddress: '10.0.0.1',
  clientMac: Uint8Array.of(2, 0, 0, 0, 0, 1),
  options: {
    subnetMask: '255.255.255.0',
    routers: ['192.0.2.1', '192.0.2.2'],
    domainName: 'branch.example',
    interfaceMtu: 1400,
    leaseSeconds: 3600,
    clientIdentifier: Uint8Array.of(1, 2, 3),
  },
};

/** A reply of type ACK with these octets behind its magic cookie, and this much of file and sname. */
function replyWith(
  options: readonly number[],
  file: readonly number[] = [],
  sname: readonly number[] = [],
): Uint8Array {
  return new ByteWriter()
    .bytes(encodeDhcp({ ...MESSAGE, options: {} }).subarray(0, 44))
    .bytes(Uint8Array.from([...sname, ...new Array<number>(64 - sname.length).fill(0)]))
    .bytes(Uint8Array.from([...file, ...new Array<number>(128 - file.length).fill(0)]))
    .u32(0x6382_5363)
    .bytes(Uint8Array.from([53, 1, 5, ...options]))
    .finish();
}

const LONG = 'x'.repeat(300);
const part = (code: number, text: string): number[] => [code, text.length, ...Buffer.from(text, 'latin1')];

describe('a DHCP message', () => {
  it('is read as it was written, and is no shorter than a relay wants', () => {
    const bytes = encodeDhcp(MESSAGE);
    expect(bytes.length).toBe(300);
    expect(decodeDhcp(bytes)).toEqual(MESSAGE);
  });

  it('has an option of more than 255 octets in parts (RFC 3396)', () => {
    const bytes = encodeDhcp({ ...MESSAGE, options: { domainName: LONG } });
    expect(decodeDhcp(bytes).options.domainName).toBe(LONG);
    expect(decodeDhcp(replyWith([...part(15, 'ab'), ...part(51, '\0\0\0\x10'), ...part(15, 'cd')])).options).toEqual({
      domainName: 'abcd',
      leaseSeconds: 16,
    });
  });

  it('has options in the file and sname fields where it says so, in that order', () => {
    const overloaded = [52, 1, 3, ...part(15, 'a'), 255];
    const options = decodeDhcp(replyWith(overloaded, [...part(15, 'b'), 255], [...part(15, 'c'), 255])).options;
    expect(options).toEqual({ domainName: 'abc' });
    expect(decodeDhcp(replyWith([255], part(15, 'b'))).options).toEqual({});
  });

  it('may have padding, no end, options that nobody knows, and a text with a NUL', () => {
    expect(decodeDhcp(replyWith([0, 0, 250, 2, 1, 2, ...part(15, 'a\0')])).options).toEqual({ domainName: 'a' });
  });

  it('a damaged option is left out', () => {
    expect(decodeDhcp(replyWith([1, 3, 255, 255, 255, 3, 0, 26, 2, 5, 120])).options).toEqual({ interfaceMtu: 1400 });
  });

  it('has routes as RFC 3442 writes them', () => {
    const routes = [0, 10, 0, 0, 1, 8, 10, 10, 0, 0, 2, 16, 10, 17, 10, 0, 0, 3, 25, 10, 229, 0, 128, 10, 0, 0, 4];
    expect(decodeDhcp(replyWith([121, routes.length, ...routes])).options.classlessRoutes).toEqual([
      { prefix: '0.0.0.0/0', router: '10.0.0.1' },
      { prefix: '10.0.0.0/8', router: '10.0.0.2' },
      { prefix: '10.17.0.0/16', router: '10.0.0.3' },
      { prefix: '10.229.0.128/25', router: '10.0.0.4' },
    ]);
    expect(decodeDhcp(replyWith([121, 5, 33, 1, 2, 3, 4])).options).toEqual({});
    const stray = [8, 10, 10, 0, 0, 2, 0];
    expect(decodeDhcp(replyWith([121, stray.length, ...stray])).options).toEqual({});
  });

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['a message that is cut off', encodeDhcp(MESSAGE).subarray(0, 239)],
    ['an option that is cut off', replyWith([15, 200, 1, 2])],
    ['BOOTP without a cookie', encodeDhcp(MESSAGE).fill(0, 236, 240)],
    ['a message without a type', replyWith([]).fill(0, 240)],
    ['another hardware', encodeDhcp(MESSAGE).fill(6, 1, 2)],
    ['an overload that is none', replyWith([52, 1, 9])],
  ])('%s is refused', (_what, bytes) => {
    expect(() => decodeDhcp(bytes)).toThrow(DecodeError);
  });
});

describe('the packet around it', () => {
  const DATAGRAM = {
    source: 0xc0000201,
    destination: 0xffffffff,
    sourcePort: 67,
    destinationPort: 68,
    payload: Uint8Array.of(1, 2, 3),
  };

  it('is read as it was written, padding of the frame aside', () => {
    const packet = encodeUdpPacket(DATAGRAM);
    const padded = new Uint8Array(60);
    padded.set(packet);
    expect(decodeUdpPacket(padded, false)).toEqual(DATAGRAM);
  });

  it('is refused with any bit of it changed, but for those that its headers do not use', () => {
    const packet = encodeUdpPacket(DATAGRAM);
    for (let bit = 0; bit < packet.length * 8; bit += 1) {
      const changed = packet.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7));
      expect(() => decodeUdpPacket(changed, false), `bit ${bit}`).toThrow(DecodeError);
    }
  });

  it('is taken with a checksum that is still to be made, where it is told so, and without any', () => {
    const packet = encodeUdpPacket(DATAGRAM);
    packet[26] = 0x12;
    expect(() => decodeUdpPacket(packet, false)).toThrow(/checksum/);
    expect(decodeUdpPacket(packet, true)).toEqual(DATAGRAM);
    packet.fill(0, 26, 28);
    expect(decodeUdpPacket(packet, false)).toEqual(DATAGRAM);
  });
});

describe('an ARP packet', () => {
  it('is read as it was written, and nothing else is', () => {
    const mac = Uint8Array.of(2, 0, 0, 0, 0, 1);
    const arp = { operation: 'reply', senderMac: mac, targetMac: mac, senderAddress: 1, targetAddress: 2 } as const;
    const bytes = encodeArp(arp);
    expect(decodeArp(bytes)).toEqual(arp);
    expect(() => decodeArp(bytes.subarray(0, 27))).toThrow(DecodeError);
    expect(() => decodeArp(bytes.slice().fill(9, 7, 8))).toThrow(DecodeError);
    expect(() => decodeArp(bytes.slice().fill(9, 3, 4))).toThrow(DecodeError);
  });
});

describe('the client identifier', () => {
  const mac = Uint8Array.of(2, 0, 0, 0, 0x12, 0x34);

  it('is as it was configured: octets, or text behind a type of 0', () => {
    expect(clientIdentifier(mac, '01:52:54:00:12:34:56')).toEqual(Uint8Array.of(1, 0x52, 0x54, 0, 0x12, 0x34, 0x56));
    expect(clientIdentifier(mac, 'ab')).toEqual(Uint8Array.of(0, 0x61, 0x62));
  });
});
