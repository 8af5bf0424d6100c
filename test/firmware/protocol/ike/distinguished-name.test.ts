import { describe, expect, it } from 'vitest';
import { distinguishedNameText } from '../../../../firmware/protocol/ike/distinguished-name.ts';

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
});
