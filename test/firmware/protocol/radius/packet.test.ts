import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, DecodeError, EncodeError, hex, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import {
  describeAttribute,
  firstValue,
  type RadiusAttribute,
} from '../../../../firmware/protocol/radius/attribute-value.ts';
import { CODE, codeName, readPacket } from '../../../../firmware/protocol/radius/packet.ts';
import {
  checkRequest,
  checkResponse,
  passwordOf,
  sealRequest,
  sealResponse,
} from '../../../../firmware/protocol/radius/sealing.ts';
import { arbitraryAttributes } from './arbitrary-attributes.ts';
import {
  FLOPSY_ACCEPT,
  FLOPSY_REQUEST,
  MOPSY_ANSWER,
  MOPSY_CHALLENGE,
  MOPSY_REJECT,
  MOPSY_REQUEST,
  NEMO_ACCEPT,
  NEMO_REQUEST,
  RFC_SECRET,
} from './vectors.ts';

const AUTHENTICATOR = Uint8Array.from({ length: 16 }, (_, index) => index + 1);
const request = (attributes: readonly RadiusAttribute[], code: number = CODE.accessRequest) => ({
  code,
  identifier: 7,
  authenticator: AUTHENTICATOR,
  attributes,
});

describe('the examples of RFC 2865 section 7', () => {
  it('are read with the names and values that the RFC tells', () => {
    const { code, identifier, attributes } = readPacket(NEMO_REQUEST);
    expect([codeName(code), identifier]).toEqual(['Access-Request', 0]);
    expect(attributes.map(describeAttribute)).toEqual([
      'User-Name nemo',
      'User-Password',
      'NAS-IP-Address 192.168.1.16',
      'NAS-Port 3',
    ]);
    expect(readPacket(FLOPSY_ACCEPT).attributes.map(describeAttribute)).toEqual([
      'Service-Type Framed',
      'Framed-Protocol PPP',
      'Framed-IP-Address 255.255.255.254',
      'Framed-MTU 1500',
    ]);
    expect(readPacket(MOPSY_CHALLENGE).attributes.map(describeAttribute)).toEqual([
      'Reply-Message Challenge 32769430.  Enter response at prompt.',
      'State',
    ]);
  });

  it.each([
    { what: 'arctangent', octets: NEMO_REQUEST },
    { what: 'challenge', octets: MOPSY_REQUEST },
    { what: '99101462', octets: MOPSY_ANSWER },
  ])('hide the password $what', ({ what, octets }) => {
    expect(passwordOf(readPacket(octets), RFC_SECRET)).toEqual(utf8Bytes(what));
  });

  it.each([
    { what: 'accept of nemo', asked: NEMO_REQUEST, answer: NEMO_ACCEPT },
    { what: 'accept of flopsy', asked: FLOPSY_REQUEST, answer: FLOPSY_ACCEPT },
    { what: 'challenge of mopsy', asked: MOPSY_REQUEST, answer: MOPSY_CHALLENGE },
    { what: 'reject of mopsy', asked: MOPSY_ANSWER, answer: MOPSY_REJECT },
  ])('prove the $what by its Response Authenticator', ({ asked, answer }) => {
    const { authenticator } = readPacket(asked);
    // They are from before Message-Authenticator, and right in everything else.
    expect(checkResponse(readPacket(answer), authenticator, RFC_SECRET)).toBe('no-message-authenticator');
    expect(checkResponse(readPacket(answer), authenticator, utf8Bytes('xyzzy5462'))).toBe('wrong-authenticator');
    expect(checkResponse(readPacket(answer), AUTHENTICATOR, RFC_SECRET)).toBe('wrong-authenticator');
  });

  it('is answered as the RFC answers it, to the octet', () => {
    const { identifier, authenticator } = readPacket(MOPSY_ANSWER);
    const response = { code: CODE.accessReject, identifier, authenticator, attributes: [] };
    expect(hex(sealResponse(response, RFC_SECRET, false))).toBe(hex(MOPSY_REJECT));
  });

  it('has the CHAP response that the password "arctangent" gives to no other than the right question', () => {
    const { attributes, authenticator } = readPacket(FLOPSY_REQUEST);
    const chap = firstValue(attributes, 'chapPassword');
    const expected = createHash('md5').update(Uint8Array.of(22)).update('arctangent').update(authenticator).digest();
    expect(chap?.[0]).toBe(22);
    expect(hex(chap?.subarray(1) ?? new Uint8Array())).toBe(hex(expected));
  });
});

describe('a packet in a Buffer, whose slices are no copies', () => {
  it('is read and checked as any other, and stays as it is', () => {
    const long = utf8Bytes('a password of more than sixteen octets');
    const octets = Buffer.from(sealRequest(request([{ name: 'userPassword', value: long }]), RFC_SECRET));
    const before = hex(octets);
    expect(passwordOf(readPacket(octets), RFC_SECRET)).toEqual(long);
    expect(checkRequest(readPacket(octets), RFC_SECRET)).toBe(true);
    const answer = Buffer.from(sealResponse(request([], CODE.accessAccept), RFC_SECRET));
    expect(checkResponse(readPacket(answer), AUTHENTICATOR, RFC_SECRET)).toBe('good');
    expect(hex(octets)).toBe(before);
  });
});

describe('a request', () => {
  it('begins with a Message-Authenticator, HMAC-MD5 over the packet with zeros in its place', () => {
    const octets = sealRequest(request([{ name: 'userName', value: utf8Bytes('nemo') }]), RFC_SECRET);
    expect(hex(octets.subarray(20, 22))).toBe('5012');
    const zeroed = octets.slice().fill(0, 22, 38);
    expect(hex(octets.subarray(22, 38))).toBe(createHmac('md5', RFC_SECRET).update(zeroed).digest('hex'));
    expect(checkRequest(readPacket(octets), RFC_SECRET)).toBe(true);
    expect(checkRequest(readPacket(octets), utf8Bytes('another'))).toBe(false);
  });

  it('of accounting has the authenticator of RFC 2866 section 3', () => {
    const octets = sealRequest(request([{ name: 'acctStatusType', value: 1 }], CODE.accountingRequest), RFC_SECRET);
    const zeroed = octets.slice().fill(0, 4, 20);
    const expected = createHash('md5').update(zeroed).update(RFC_SECRET).digest('hex');
    expect(hex(octets.subarray(4, 20))).toBe(expected);
    expect(checkRequest(readPacket(octets), RFC_SECRET)).toBe(true);
    expect(checkRequest(readPacket(octets), utf8Bytes('another'))).toBe(false);
  });

  it('with any password is read back with that password', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 128 }), fc.uint8Array({ minLength: 1, maxLength: 64 }), (raw, secret) => {
        // Zeros at the end are padding, which is how the RFC has it.
        const password =
          raw.length > 0 && raw[raw.length - 1] === 0 ? concatBytes(raw.subarray(0, -1), Uint8Array.of(1)) : raw;
        const octets = sealRequest(request([{ name: 'userPassword', value: password }]), secret);
        expect(passwordOf(readPacket(octets), secret)).toEqual(password);
      }),
    );
  });

  it('is refused when it does not fit a packet or a password is too long', () => {
    const long = Array.from({ length: 20 }, (): RadiusAttribute => ({ name: 'class', value: new Uint8Array(253) }));
    expect(() => sealRequest(request(long), RFC_SECRET)).toThrow(EncodeError);
    const password: RadiusAttribute = { name: 'userPassword', value: new Uint8Array(129).fill(1) };
    expect(() => sealRequest(request([password]), RFC_SECRET)).toThrow(EncodeError);
  });
});

describe('attributes', () => {
  it('of every kind are read back as they were written', () => {
    fc.assert(
      fc.property(arbitraryAttributes(), (attributes) => {
        const octets = sealResponse(request(attributes, CODE.accessAccept), RFC_SECRET);
        const read = readPacket(octets);
        expect(read.attributes.filter(({ name }) => name !== 'messageAuthenticator')).toEqual(attributes);
        expect(checkResponse(read, AUTHENTICATOR, RFC_SECRET)).toBe('good');
      }),
    );
  });

  it('of other vendors and of types that nobody knows are passed over', () => {
    const unknown = Uint8Array.of(250, 3, 1, 26, 9, 0, 0, 0, 9, 1, 2, 3);
    const known = Uint8Array.of(8, 6, 10, 98, 0, 7);
    expect(readPacket(packet(concatBytes(unknown, known))).attributes).toEqual([
      { name: 'framedIpAddress', value: '10.98.0.7' },
    ]);
  });

  it('of Microsoft may stand several in one Vendor-Specific', () => {
    const both = Uint8Array.of(26, 18, 0, 0, 1, 55, 28, 6, 10, 0, 0, 1, 29, 6, 10, 0, 0, 2);
    expect(readPacket(packet(both)).attributes).toEqual([
      { name: 'msPrimaryDnsServer', value: '10.0.0.1' },
      { name: 'msSecondaryDnsServer', value: '10.0.0.2' },
    ]);
  });

  it('without a value say nothing', () => {
    expect(readPacket(packet(Uint8Array.of(18, 2, 8, 6, 10, 98, 0, 7))).attributes).toHaveLength(1);
  });

  it('have the bits behind a prefix cleared, and a prefix as long as it says', () => {
    const prefix = Uint8Array.of(97, 12, 0, 48, 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0xff, 0xff);
    expect(readPacket(packet(prefix)).attributes).toEqual([{ name: 'framedIpv6Prefix', value: '2001:db8:1::/48' }]);
    const short = Uint8Array.of(97, 8, 0, 48, 0x20, 0x01, 0x0d, 0xb8);
    expect(() => readPacket(packet(short))).toThrow(DecodeError);
  });

  it('take a tag for what it is and a text without one for what it says', () => {
    const tagged = concatBytes(Uint8Array.of(66, 5, 1), utf8Bytes('ab'));
    const bare = concatBytes(Uint8Array.of(66, 4), utf8Bytes('ab'));
    const values = readPacket(packet(concatBytes(tagged, bare))).attributes.map(({ value }) => value);
    expect(values).toEqual(['ab', 'ab']);
  });

  it('that are secret, and what is in others to move a cursor, are not told', () => {
    expect(describeAttribute({ name: 'userPassword', value: utf8Bytes('hush') })).toBe('User-Password');
    expect(describeAttribute({ name: 'replyMessage', value: 'hi\u001b[2J' })).toBe('Reply-Message hi\\x1b[2J');
  });
});

describe('a packet of a stranger', () => {
  it.each([
    { what: 'shorter than its header', octets: '0200001400' },
    { what: 'shorter than its Length', octets: `02000020${'00'.repeat(16)}` },
    { what: 'with a Length under 20', octets: `02000013${'00'.repeat(16)}` },
    { what: 'with a Length over 4096', octets: `02001001${'00'.repeat(5000)}` },
    { what: 'with an attribute of length 1', octets: `02000016${'00'.repeat(16)}0801` },
    { what: 'with an attribute of length 0', octets: `02000016${'00'.repeat(16)}0800` },
    { what: 'with an attribute that runs over', octets: `02000017${'00'.repeat(16)}080600` },
    { what: 'with half an attribute header', octets: `02000015${'00'.repeat(16)}08` },
    { what: 'with an address of five octets', octets: `0200001b${'00'.repeat(16)}08070a00000700` },
    { what: 'with a vendor cut short', octets: `02000018${'00'.repeat(16)}1a040000` },
    {
      what: 'with two Message-Authenticators',
      octets: `02000038${'00'.repeat(16)}${`5012${'00'.repeat(16)}`.repeat(2)}`,
    },
    { what: 'with a short Message-Authenticator', octets: `0200001c${'00'.repeat(16)}5008${'00'.repeat(6)}` },
  ])('$what is refused', ({ octets }) => {
    expect(() => readPacket(new Uint8Array(Buffer.from(octets, 'hex')))).toThrow(DecodeError);
  });

  it('may have padding behind its Length', () => {
    expect(readPacket(concatBytes(MOPSY_REJECT, new Uint8Array(4))).octets).toEqual(MOPSY_REJECT);
  });

  it('of any octets raises a DecodeError and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        const framed = octets.slice();
        if (framed.length >= 4) framed.set([framed.length >> 8, framed.length & 0xff], 2);
        try {
          readPacket(framed);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });

  it('that was right and is changed in any one bit proves nothing', () => {
    const attributes: RadiusAttribute[] = [{ name: 'framedIpAddress', value: '10.98.0.7' }];
    const good = sealResponse(request(attributes, CODE.accessAccept), RFC_SECRET);
    for (let bit = 0; bit < good.length * 8; bit += 1) {
      const changed = good.slice();
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      let proof = 'malformed';
      try {
        proof = checkResponse(readPacket(changed), AUTHENTICATOR, RFC_SECRET);
      } catch {}
      expect(proof).not.toBe('good');
    }
  });

  it('with a right Response Authenticator and a forged Message-Authenticator is told from a good one', () => {
    const good = sealResponse(request([], CODE.accessAccept), RFC_SECRET);
    const forged = good.slice();
    forged[25] = (forged[25] ?? 0) ^ 1;
    const bare = concatBytes(forged.subarray(0, 4), AUTHENTICATOR, forged.subarray(20));
    forged.set(createHash('md5').update(bare).update(RFC_SECRET).digest(), 4);
    expect(checkResponse(readPacket(forged), AUTHENTICATOR, RFC_SECRET)).toBe('wrong-message-authenticator');
  });
});

/** An Access-Accept with these octets as its attributes. */
function packet(attributes: Uint8Array): Uint8Array {
  const length = 20 + attributes.length;
  return concatBytes(Uint8Array.of(2, 1, length >> 8, length & 0xff), new Uint8Array(16), attributes);
}
