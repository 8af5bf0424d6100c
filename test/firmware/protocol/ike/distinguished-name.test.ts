import { describe, expect, it } from 'vitest';
import {
  distinguishedNameKey,
  distinguishedNameText,
  parseDistinguishedName,
} from '../../../../firmware/protocol/ike/distinguished-name.ts';

/** C=DE, O=Acme, CN=hq.example (PrintableString, UTF8String), as OpenSSL writes it. */
const NAME = '3031310b3009060355040613024445310d300b060355040a0c0441636d65311330110603550403'.concat(
  '0c0a68712e6578616d706c65',
);

describe('a distinguished name', () => {
  it('is shown with its short names, in the order of the octets', () => {
    expect(distinguishedNameText(Buffer.from(NAME, 'hex'))).toBe('C=DE, O=Acme, CN=hq.example');
  });

  it('that is none is shown as octets, whatever they are', () => {
    for (let end = 0; end < NAME.length / 2; end += 1) {
      expect(distinguishedNameText(Buffer.from(NAME, 'hex').subarray(0, end))).toMatch(
        /^distinguished name [0-9a-f]*$/,
      );
    }
  });

  it.each([
    ['C=DE, O=Acme, CN=hq.example', 'C=DE, O=Acme, CN=hq.example'],
    [' cn = hq ,o=Acme\\, Inc', 'CN=hq, O=Acme, Inc'],
    ['DC=example, OU=a+UID=b', 'DC=example, OU=a + UID=b'],
    ['CN=M\u00fcnchen, emailAddress=a@b.example', 'CN=M\u00fcnchen, E=a@b.example'],
    ['CN=a=b', 'CN=a=b'],
  ])('is read from %j', (text, shown) => {
    const name = parseDistinguishedName(text);
    expect(name && distinguishedNameText(name)).toBe(shown);
  });

  it.each(['', 'hq.example', 'CN=', 'CN=a,', ',CN=a', 'CN=a,,O=b', 'XX=a', 'CN=a, b', 'CN=a\\', 'a=b@c', 'DC=\u00fc'])(
    'is not read from %j',
    (text) => expect(parseDistinguishedName(text)).toBeUndefined(),
  );

  it('is the same in another kind of string, in capitals and with more spaces, and in no other order', () => {
    const key = (text: string) => distinguishedNameKey(parseDistinguishedName(text) ?? new Uint8Array(0));
    expect(key('C=DE, O=Acme, CN=hq.example')).toBe(distinguishedNameKey(Buffer.from(NAME, 'hex')));
    expect(key('c=de, o=ACME  ,cn=HQ.example')).toBe(distinguishedNameKey(Buffer.from(NAME, 'hex')));
    expect(key('O=Acme, C=DE, CN=hq.example')).not.toBe(distinguishedNameKey(Buffer.from(NAME, 'hex')));
    expect(key('C=DE, O=Acme')).not.toBe(distinguishedNameKey(Buffer.from(NAME, 'hex')));
    expect(key('CN=a+O=b')).toBe(key('O=b+CN=a'));
  });
});
