/** Link layers, IP, fragments and UDP, by the one L2TP message that is found behind all of them. */
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../../../../firmware/protocol/bytes.ts';
import { encodeZlb } from '../../../../firmware/protocol/l2tp/header.ts';
import { ethernet, ipv4, ipv6, LINKTYPE_ETHERNET, pcapFile, udp } from '../../../support/capture-builder.ts';
import { decodedFile, decodedPackets } from './decoded-packets.ts';

const ZLB = encodeZlb({ tunnelId: 7, sessionId: 0, ns: 1, nr: 2 });
const FOUND = [{ protocol: 'l2tp', summary: 'ZLB tunnel 7 session 0 Ns 1 Nr 2' }];
const PACKET = ipv4(udp(ZLB));
const PACKET6 = ipv6(udp(ZLB));

function zeros(count: number): Uint8Array {
  return new Uint8Array(count);
}

const cooked = (type: number) => concatBytes(zeros(14), Uint8Array.of(type >>> 8, type & 0xff));
const cooked2 = (type: number) => concatBytes(Uint8Array.of(type >>> 8, type & 0xff), zeros(18));
const family = (number: number) => Uint8Array.of(number, 0, 0, 0);

describe('an L2TP message is found', () => {
  it.each([
    ['Ethernet', 1, ethernet(PACKET)],
    ['Ethernet with a VLAN tag', 1, ethernet(PACKET, [12])],
    ['Ethernet with two VLAN tags', 1, ethernet(PACKET6, [12, 13])],
    ['802.3 with SNAP', 1, concatBytes(zeros(12), Uint8Array.of(0, 60, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0), PACKET)],
    ['Linux cooked capture', 113, concatBytes(cooked(0x0800), PACKET)],
    ['Linux cooked capture with a VLAN tag', 113, concatBytes(cooked(0x8100), Uint8Array.of(0, 5, 8, 0), PACKET)],
    ['Linux cooked capture v2', 276, concatBytes(cooked2(0x86dd), PACKET6)],
    ['raw IP', 101, PACKET],
    ['raw IP as some systems number it', 12, PACKET6],
    ['raw IPv4', 228, PACKET],
    ['raw IPv6', 229, PACKET6],
    ['NULL', 0, concatBytes(family(2), PACKET)],
    ['NULL with IPv6', 0, concatBytes(family(30), PACKET6)],
    ['LOOP', 108, concatBytes(Uint8Array.of(0, 0, 0, 2), PACKET)],
  ])('in %s', async (_name, linkType, frame) => {
    expect(await decodedPackets([frame], {}, linkType)).toMatchObject(FOUND);
  });

  it('behind IPv4 options', async () => {
    expect(await decodedPackets([ipv4(udp(ZLB), { options: Uint8Array.of(7, 7, 4, 0, 0, 0, 0, 0) })])).toMatchObject(
      FOUND,
    );
  });

  it('behind an Authentication Header, which is named, in a tunnel or not', async () => {
    const header = (next: number) => Uint8Array.of(next, 4, 0, 0, 0, 0, 0x10, 1, 0, 0, 0, 7, ...zeros(12));
    const named = {
      protocol: 'ah',
      summary: 'AH SPI 00001001 sequence 7',
      fields: { spi: 0x1001, sequenceNumber: 7, icvLength: 12 },
    };
    for (const [next, inner] of [
      [4, PACKET],
      [17, udp(ZLB)],
    ] as const) {
      const packet = ipv4(concatBytes(header(next), inner), { protocol: 51 });
      expect(await decodedPackets([packet])).toMatchObject([named, ...FOUND]);
    }
    const cut = [ipv4(header(4).subarray(0, 11), { protocol: 51 }), ipv4(header(4).subarray(0, 20), { protocol: 51 })];
    expect(await decodedPackets(cut)).toMatchObject([
      { protocol: 'ah', error: { field: 'Sequence Number' } },
      { protocol: 'ah', error: { field: 'Payload Len' } },
    ]);
  });

  it('behind the padding of a short frame, which is not part of it', async () => {
    const padded = concatBytes(ethernet(PACKET), zeros(20));
    expect(await decodedPackets([padded], {}, LINKTYPE_ETHERNET)).toMatchObject(FOUND);
  });

  it('behind every IPv6 extension header', async () => {
    const hop = Uint8Array.of(43, 0, 0, 0, 0, 0, 0, 0);
    const route = Uint8Array.of(60, 0, 0, 0, 0, 0, 0, 0);
    const options = Uint8Array.of(51, 0, 0, 0, 0, 0, 0, 0);
    const authentication = Uint8Array.of(17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const packet = ipv6(concatBytes(hop, route, options, authentication, udp(ZLB)), { nextHeader: 0 });
    expect(await decodedPackets([packet])).toMatchObject([
      {
        ...FOUND[0],
        source: { address: '2001:db8::1', port: 1701 },
        destination: { address: '2001:db8::2', port: 1701 },
      },
    ]);
  });

  it('in a PPPoE session, whose own PPP frames are told too', async () => {
    const pppoe = (frame: Uint8Array) => {
      const header = Uint8Array.of(0x88, 0x64, 0x11, 0, 0, 9, 0, frame.length);
      return concatBytes(zeros(12), header, frame);
    };
    const echo = pppoe(Uint8Array.of(0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4));
    const inside = pppoe(concatBytes(Uint8Array.of(0, 0x21), PACKET));
    expect(await decodedPackets([echo, inside], {}, LINKTYPE_ETHERNET)).toMatchObject([
      { protocol: 'ppp-lcp', summary: 'Echo-Request id 1 magic 0x01020304' },
      ...FOUND,
    ]);
  });
});

describe('PPPoE discovery', () => {
  const discovery = (...octets: number[]) =>
    concatBytes(zeros(12), Uint8Array.of(0x88, 0x63, ...octets), zeros(46 - octets.length));

  it('is told by the names of its packets and tags', async () => {
    const padi = discovery(0x11, 0x09, 0, 0, 0, 16, 1, 1, 0, 0, 1, 3, 0, 2, 0xab, 0xcd, 1, 0x20, 0, 2, 5, 0xdc);
    const padt = discovery(0x11, 0xa7, 0, 5, 0, 8, 2, 3, 0, 4, 0x62, 0x79, 0x65, 0x1b);
    const unknown = discovery(0x11, 0x42, 0, 0, 0, 5, 0x99, 0x99, 0, 1, 7);
    expect(await decodedPackets([padi, padt, unknown], {}, LINKTYPE_ETHERNET)).toMatchObject([
      {
        protocol: 'pppoe-discovery',
        summary: 'PADI, Service-Name, Host-Uniq abcd, PPP-Max-Payload 1500',
        fields: { messageType: 'PADI', sessionId: 0, tags: [{ name: 'Service-Name', value: '' }, {}, { value: 1500 }] },
      },
      { summary: 'PADT, session 5, Generic-Error "bye\\x1b"' },
      { summary: 'code 0x42, tag 0x9999 07' },
    ]);
  });

  it('says what is wrong with one that makes no sense', async () => {
    const long = discovery(0x11, 0x09, 0, 0, 0, 4, 1, 1, 0, 9);
    const old = discovery(0x21, 0x09, 0, 0, 0, 0);
    expect(await decodedPackets([long, old], {}, LINKTYPE_ETHERNET)).toMatchObject([
      { summary: 'PADI', error: { field: 'TAG_LENGTH' } },
      { error: { field: 'VER and TYPE', offset: 0 } },
    ]);
  });
});

describe('nothing is said', () => {
  it.each([
    ['of ARP', 1, concatBytes(zeros(12), Uint8Array.of(8, 6), zeros(28))],
    ['of other UDP', 101, ipv4(udp(zeros(40), 53, 53))],
    ['of TCP', 101, ipv4(zeros(20), { protocol: 6 })],
    ['of a link type that is not known', 147, PACKET],
  ])('%s', async (_what, linkType, frame) => {
    expect(await decodedPackets([frame], { all: true }, linkType)).toEqual([]);
  });
});

/** Pieces of a UDP datagram at these offsets. */
function fragments(datagram: Uint8Array, ...offsets: number[]): readonly Uint8Array[] {
  return offsets.map((offset, index) => {
    const end = offsets[index + 1] ?? datagram.length;
    return ipv4(datagram.subarray(offset, end), { id: 5, offset, more: end < datagram.length });
  });
}

describe('fragments', () => {
  const datagram = udp(concatBytes(ZLB, zeros(30)));
  const [first = zeros(0), second = zeros(0), third = zeros(0)] = fragments(datagram, 0, 16, 32);

  it('of IPv4 are put together in any order, and the message has the number of the last one', async () => {
    expect(await decodedPackets([third, first, second])).toMatchObject([{ frame: 3, ...FOUND[0] }]);
  });

  it('that are repeated change nothing', async () => {
    expect(await decodedPackets([first, first, second, second, third])).toMatchObject([{ frame: 5, ...FOUND[0] }]);
  });

  it('of IPv6 are put together, with extension headers on either side of the Fragment header', async () => {
    const whole = concatBytes(Uint8Array.of(17, 0, 0, 0, 0, 0, 0, 0), datagram);
    const piece = (at: number, end: number) => {
      const more = end < whole.length ? 1 : 0;
      const header = Uint8Array.of(60, 0, 0, at | more, 0, 0, 0, 9);
      const hop = Uint8Array.of(44, 0, 0, 0, 0, 0, 0, 0);
      return ipv6(concatBytes(hop, header, whole.subarray(at, end)), { nextHeader: 0 });
    };
    expect(await decodedPackets([piece(24, whole.length), piece(0, 24)])).toMatchObject([{ frame: 2, ...FOUND[0] }]);
  });

  it('that never come are said to be missing, once the capture ends', async () => {
    expect(await decodedPackets([first, third])).toMatchObject([
      {
        frame: 2,
        protocol: 'l2tp',
        summary: 'datagram in fragments that is not complete: fragments are missing when the capture ends',
        error: { field: 'fragments' },
      },
    ]);
  });

  it('that come too late are not put together', async () => {
    const late = pcapFile([
      { bytes: first, time: 0 },
      { bytes: second, time: 1000 },
      { bytes: third, time: 61_000 },
    ]);
    expect(await decodedFile(late)).toMatchObject([{ frame: 2, error: { reason: expect.stringContaining('60 s') } }]);
  });

  it('that overlap are not trusted', async () => {
    const overlapping = ipv4(datagram.subarray(8, 24), { id: 5, offset: 8, more: true });
    const [message] = await decodedPackets([first, overlapping]);
    expect(message).toMatchObject({ error: { reason: expect.stringContaining('overlap') } });
  });
});

describe('what is malformed', () => {
  it.each([
    ['IHL', 0, 0x44],
    ['Total Length', 2, 0xff],
  ])('in the IP header is told by its field: %s', async (field, octet, value) => {
    const packet = PACKET.slice();
    packet[octet] = value;
    expect(await decodedPackets([packet])).toMatchObject([{ frame: 1, protocol: 'ip', error: { field } }]);
  });

  it('because the capture has a snap length is said to be so', async () => {
    const file = pcapFile([{ bytes: PACKET.subarray(0, 36), originalLength: PACKET.length }]);
    const [message] = await decodedFile(file);
    expect(message?.error?.reason).toBe('the capture was cut short here: 4 octets of the packet are not in it');
  });
});

describe('UDP ports', () => {
  it('500 and 4500 carry IKE, ESP and keepalives, told apart by the marker', async () => {
    const ike = concatBytes(zeros(16).fill(1), Uint8Array.of(33, 0x20, 34, 8, 0, 0, 0, 0, 0, 0, 0, 28));
    const esp = Uint8Array.of(0, 0, 1, 2, 0, 0, 0, 3, 9, 9, 9, 9);
    const messages = await decodedPackets([
      ipv4(udp(ike, 500, 500)),
      ipv4(udp(concatBytes(zeros(4), ike), 4500, 61_000)),
      ipv4(udp(esp, 4500, 4500)),
      ipv4(udp(Uint8Array.of(0xff), 4500, 4500)),
      ipv4(esp, { protocol: 50 }),
    ]);
    expect(messages.map(({ protocol }) => protocol)).toEqual(['ikev2', 'ikev2', 'esp', 'nat-keepalive', 'esp']);
    expect(messages[2]?.summary).toContain('SPI 00000102 sequence 3');
  });

  it('of any number carry IKE where it looks like IKE, and then ESP between the same two', async () => {
    const ike = concatBytes(zeros(16).fill(1), Uint8Array.of(33, 0x20, 34, 8, 0, 0, 0, 0, 0, 0, 0, 28));
    const esp = udp(Uint8Array.of(0, 0, 1, 2, 0, 0, 0, 3, 9, 9, 9, 9), 9001, 9000);
    const marked = ipv4(udp(concatBytes(zeros(4), ike), 9000, 9001));
    const back = { source: '192.0.2.2', destination: '192.0.2.1' };
    expect(
      (await decodedPackets([ipv4(esp, back), marked, ipv4(esp, back)])).map(({ frame, protocol }) => [
        frame,
        protocol,
      ]),
    ).toEqual([
      [2, 'ikev2'],
      [3, 'esp'],
    ]);
  });
});
