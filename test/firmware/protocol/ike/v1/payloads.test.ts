import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, hex } from '../../../../../firmware/protocol/bytes.ts';
import { sameIdentity } from '../../../../../firmware/protocol/ike/identity.ts';
import { decodeMessage, encodeMessage } from '../../../../../firmware/protocol/ike/v1/header.ts';
import {
  decodeId,
  decodeNatOa,
  encodeId,
  encodeNatOa,
  identityOfId,
  idOfIdentity,
  idOfSelector,
  selectorOfId,
} from '../../../../../firmware/protocol/ike/v1/id-payload.ts';
import {
  decodeDelete,
  decodeNotification,
  encodeDelete,
  encodeNotification,
} from '../../../../../firmware/protocol/ike/v1/notification.ts';
import { decodePayloads, encodePayloads, nonceOf } from '../../../../../firmware/protocol/ike/v1/payload.ts';
import { phase1Offers, phase1Proposal } from '../../../../../firmware/protocol/ike/v1/phase1-transforms.ts';
import { phase2Offers, phase2Proposal } from '../../../../../firmware/protocol/ike/v1/phase2-transforms.ts';
import {
  decodeAttributes,
  decodeSa,
  encodeAttributes,
  encodeSa,
  makeTransform,
} from '../../../../../firmware/protocol/ike/v1/sa-payload.ts';
import { octets } from '../octets.ts';

const anyOctets = (maxLength = 300) => fc.uint8Array({ maxLength });

function failsCleanly(decode: () => unknown): void {
  try {
    decode();
  } catch (error) {
    expect(error).toBeInstanceOf(DecodeError);
  }
}

describe('the ISAKMP header', () => {
  const header = {
    cookieI: octets('0102030405060708'),
    cookieR: octets('1112131415161718'),
    nextPayload: 1,
    exchangeType: 2,
    flags: 1,
    messageId: 0xdeadbeef,
  };

  it('is read as it was written, and what trails behind the message is ignored', () => {
    const message = encodeMessage(header, octets('aabbcc'));
    expect(hex(message)).toBe('0102030405060708' + '1112131415161718' + '01100201deadbeef0000001f' + 'aabbcc');
    const received = decodeMessage(Uint8Array.from([...message, 9, 9, 9]));
    expect(received.header).toEqual(header);
    expect(hex(received.body)).toBe('aabbcc');
    expect(received.octets).toEqual(message);
  });

  it('is refused with another major version, a length beyond the datagram, or no cookie', () => {
    const spoil = (at: number, value: number): Uint8Array => {
      const message = encodeMessage(header, octets('aabbcc'));
      message[at] = value;
      return message;
    };
    for (const message of [
      spoil(17, 0x20),
      spoil(27, 0x20),
      spoil(27, 27),
      encodeMessage(header, octets('')).slice(1),
    ]) {
      expect(() => decodeMessage(message)).toThrow(DecodeError);
    }
    const zero = encodeMessage({ ...header, cookieI: new Uint8Array(8) }, octets(''));
    expect(() => decodeMessage(zero)).toThrow(DecodeError);
  });
});

describe('chains of payloads', () => {
  it('come back as they went in, padding aside', () => {
    const payload = fc.record({ type: fc.integer({ min: 1, max: 255 }), body: anyOctets(80) });
    fc.assert(
      fc.property(fc.array(payload, { minLength: 1, maxLength: 20 }), anyOctets(15), (payloads, padding) => {
        const encoded = encodePayloads(payloads);
        const decoded = decodePayloads(payloads[0]?.type ?? 0, Uint8Array.from([...encoded, ...padding]));
        expect(decoded.map(({ type, body }) => ({ type, body }))).toEqual(payloads);
        expect(decoded.at(-1)?.end).toBe(encoded.length);
      }),
    );
  });

  it('end in a DecodeError at worst, whatever comes', () => {
    fc.assert(fc.property(anyOctets(), (bytes) => failsCleanly(() => decodePayloads(5, bytes))));
    const endless = new Uint8Array(400).map((_, at) => [13, 0, 0, 4][at % 4] ?? 0);
    expect(() => decodePayloads(13, endless)).toThrow('more than 64 payloads');
  });

  it('hold one nonce of 8 to 256 octets', () => {
    for (const length of [7, 257]) {
      expect(() => nonceOf([{ type: 10, body: new Uint8Array(length) }])).toThrow(DecodeError);
    }
    expect(nonceOf([{ type: 10, body: new Uint8Array(8) }])).toHaveLength(8);
    expect(() => nonceOf([])).toThrow(DecodeError);
  });
});

describe('the SA payload', () => {
  it('carries a lifetime above 65535 in four octets, and a smaller one in two', () => {
    expect(hex(encodeAttributes([{ type: 12, value: 86_400 }]))).toBe('000c000400015180');
    expect(hex(encodeAttributes([{ type: 12, value: 28_800 }]))).toBe('800c7080');
    // Windows: 28800 s in four octets all the same.
    expect(decodeAttributes(octets('000c000400007080'))).toEqual([{ type: 12, value: 28_800 }]);
    expect(decodeAttributes(octets('000c0009ffffffffffffffffff'))).toEqual([{ type: 12, value: 0xffffffff }]);
  });

  it('comes back as it went in, attributes octet for octet', () => {
    const attribute = fc.record({
      type: fc.integer({ min: 0, max: 0x7fff }),
      value: fc.integer({ min: 0, max: 0xffffffff }),
    });
    const transform = fc
      .tuple(fc.nat(255), fc.nat(255), fc.array(attribute, { maxLength: 10 }))
      .map(([number, id, attributes]) => makeTransform(number, id, attributes));
    const proposal = fc.record({
      number: fc.nat(255),
      protocol: fc.nat(255),
      spi: anyOctets(16),
      transforms: fc.array(transform, { minLength: 1, maxLength: 8 }),
    });
    fc.assert(
      fc.property(fc.array(proposal, { minLength: 1, maxLength: 4 }), (proposals) => {
        expect(decodeSa(encodeSa(proposals))).toEqual(proposals);
      }),
    );
  });

  it('ends in a DecodeError at worst, whatever comes', () => {
    const start = octets('0000000100000001');
    fc.assert(
      fc.property(anyOctets(), (bytes) => {
        failsCleanly(() => decodeSa(bytes));
        failsCleanly(() => phase2Offers(Uint8Array.from([...start, ...bytes])));
        failsCleanly(() => phase1Offers(Uint8Array.from([...start, ...bytes])));
      }),
    );
    expect(() => decodeSa(octets('0000000200000001'))).toThrow('DOI');
  });

  it('says the algorithms of phase 1 as Windows does', () => {
    // Encryption AES, 256 bits, SHA-1, group 384-bit ECP, pre-shared key, 28800 s.
    const windows =
      '0000000100000001' +
      '00000030' +
      '01010001' +
      '00000028' +
      '01010000' +
      '80010007' +
      '800e0100' +
      '80020002' +
      '80040014' +
      '80030001' +
      '800b0001' +
      '000c000400007080';
    const [offer] = phase1Offers(octets(windows));
    expect(offer?.offer).toEqual({ encryption: ['aes256'], integrity: ['sha1'], prf: ['sha1'], group: ['ecp384'] });
    expect(offer?.lifetime).toBe(28_800);
  });

  it('names what is not in the tables, so that it matches nothing but can be shown', () => {
    const strange = [
      { type: 1, value: 6 },
      { type: 2, value: 3 },
      { type: 3, value: 1 },
      { type: 4, value: 25 },
    ];
    const proposal = { number: 1, protocol: 1, spi: octets(''), transforms: [makeTransform(1, 1, strange)] };
    const [offer] = phase1Offers(encodeSa([proposal]));
    expect(offer?.offer).toEqual({
      encryption: ['encryption#6'],
      integrity: ['hash#3'],
      prf: ['hash#3'],
      group: ['group#25'],
    });
    const withCertificate = strange.map(({ type, value }) => ({ type, value: type === 3 ? 3 : value }));
    const other = { ...proposal, transforms: [makeTransform(1, 1, withCertificate)] };
    expect(phase1Offers(encodeSa([proposal, other])).map(({ method }) => method)).toEqual([1, 3]);
  });

  it('reads back every proposal of ours', () => {
    const ike = { encryption: '3des', integrity: 'md5', prf: 'md5', group: 'modp1024' };
    const [offer] = phase1Offers(encodeSa([phase1Proposal([ike], 86_400, 3)]));
    expect(offer).toMatchObject({
      offer: { encryption: ['3des'], prf: ['md5'], group: ['modp1024'] },
      lifetime: 86_400,
      method: 3,
    });
    const esp = { encryption: 'aes256gcm16', group: 'modp2048', esn: false };
    const [child] = phase2Offers(encodeSa([phase2Proposal([esp], 4, 3600, 0x12345678)]));
    expect(child).toMatchObject({
      offer: { encryption: ['aes256gcm16'], integrity: [], group: ['modp2048'], esn: [false] },
      mode: 4,
      lifetime: 3600,
      spi: 0x12345678,
    });
  });

  it('does not offer ESP that is bundled with something else, or has a reserved SPI', () => {
    const esp = phase2Proposal([{ encryption: 'aes128', integrity: 'sha1', esn: false }], 2, 3600, 0x1000);
    expect(phase2Offers(encodeSa([esp, { ...esp, number: 2 }]))).toHaveLength(2);
    expect(phase2Offers(encodeSa([esp, { ...esp, protocol: 2 }]))).toHaveLength(0);
    expect(phase2Offers(encodeSa([{ ...esp, spi: octets('000000ff') }]))).toHaveLength(0);
  });
});

describe('Identification payloads', () => {
  it('say each kind of identity', () => {
    for (const identity of [
      { kind: 'ipv4', value: '192.0.2.7' },
      { kind: 'ipv6', value: '2001:db8::7' },
      { kind: 'fqdn', value: 'vpn.example' },
      { kind: 'email', value: 'someone@example.net' },
      { kind: 'key-id', value: octets('00ff10') },
    ] as const) {
      const id = decodeId(encodeId(idOfIdentity(identity)));
      expect(id).toMatchObject({ protocol: 0, port: 0 });
      expect(identityOfId(id)).toEqual(identity);
      expect(sameIdentity(identity, identityOfId(id))).toBe(true);
    }
  });

  it('compare names without regard to case, and keep kinds apart', () => {
    expect(sameIdentity({ kind: 'fqdn', value: 'VPN.example' }, { kind: 'fqdn', value: 'vpn.EXAMPLE' })).toBe(true);
    expect(sameIdentity({ kind: 'fqdn', value: 'a' }, { kind: 'email', value: 'a' })).toBe(false);
    expect(sameIdentity({ kind: 'key-id', value: octets('61') }, { kind: 'fqdn', value: 'a' })).toBe(false);
  });

  it('say an address, a prefix or a range of a selector, and are read as the same', () => {
    const selector = (firstAddress: string, lastAddress: string, port = 0) => ({
      protocol: port === 0 ? 0 : 17,
      firstPort: port,
      lastPort: port === 0 ? 65535 : port,
      firstAddress,
      lastAddress,
    });
    for (const [value, type] of [
      [selector('192.0.2.7', '192.0.2.7', 1701), 1],
      [selector('10.0.0.0', '10.0.255.255'), 4],
      [selector('0.0.0.0', '255.255.255.255'), 4],
      [selector('10.0.0.1', '10.0.0.9'), 7],
      [selector('2001:db8::', '2001:db8::ffff'), 6],
      [selector('2001:db8::1', '2001:db8::1'), 5],
      [selector('2001:db8::1', '2001:db8::5'), 8],
    ] as const) {
      const id = decodeId(encodeId(idOfSelector(value)));
      expect(id.type).toBe(type);
      expect(selectorOfId(id)).toEqual(value);
    }
  });

  it('are refused with a mask that has holes, or a range upside down', () => {
    const id = (type: number, data: string) => ({ type, protocol: 0, port: 0, data: octets(data) });
    expect(() => selectorOfId(id(4, '0a000000ff00ff00'))).toThrow(DecodeError);
    expect(() => selectorOfId(id(7, '0a0000090a000001'))).toThrow(DecodeError);
    expect(() => selectorOfId(id(1, '0a00'))).toThrow(DecodeError);
    expect(selectorOfId(id(2, '61'))).toBeUndefined();
  });

  it('end in a DecodeError at worst, whatever comes', () => {
    fc.assert(
      fc.property(anyOctets(40), (bytes) => {
        failsCleanly(() => selectorOfId(decodeId(bytes)));
        failsCleanly(() => identityOfId(decodeId(bytes)));
        failsCleanly(() => decodeNatOa(bytes));
        failsCleanly(() => decodeNotification(bytes));
        failsCleanly(() => decodeDelete(bytes));
      }),
    );
  });

  it('carry original addresses as NAT-OA', () => {
    expect(hex(encodeNatOa('192.0.2.1'))).toBe('01000000c0000201');
    expect(decodeNatOa(encodeNatOa('2001:db8::1'))).toBe('2001:db8::1');
  });
});

describe('Notification and Delete payloads', () => {
  it('come back as they went in', () => {
    const notification = { protocol: 3, spi: octets('01020304'), type: 24_576, data: octets('800b0001') };
    expect(decodeNotification(encodeNotification(notification))).toEqual(notification);
    const deletion = { protocol: 3, spis: [octets('01020304'), octets('05060708')] };
    expect(decodeDelete(encodeDelete(deletion))).toEqual(deletion);
  });

  it('hold a bounded number of SPIs', () => {
    expect(() => decodeDelete(octets('0000000103000fff'))).toThrow(DecodeError);
  });
});
