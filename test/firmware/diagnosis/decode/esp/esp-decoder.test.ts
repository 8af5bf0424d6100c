import { describe, expect, it } from 'vitest';
import type { MessagePlace } from '../../../../../firmware/diagnosis/decode/decoded.ts';
import { EspDecoder } from '../../../../../firmware/diagnosis/decode/esp/esp-decoder.ts';
import type { DecodeKeys } from '../../../../../firmware/diagnosis/decode/keys/decode-keys.ts';
import { parseKeyText } from '../../../../../firmware/diagnosis/decode/keys/key-files.ts';
import { hex } from '../../../../../firmware/protocol/bytes.ts';
import { type SealedEsp, type SealOptions, sealEsp } from './seal.ts';

const PLACE: MessagePlace = {
  frame: 1,
  time: 0,
  source: { address: '10.0.0.1', port: 0 },
  destination: { address: '10.0.0.2', port: 0 },
};
const PAYLOAD = Uint8Array.from(Buffer.from('d903270f000c414141414242', 'hex'));
const UDP = 17;

const sealed = (overlay: Partial<SealOptions> = {}): SealedEsp =>
  sealEsp({
    encryption: 'aes128',
    integrity: 'sha1',
    spi: 0x12345678,
    sequence: 7,
    nextHeader: UDP,
    payload: PAYLOAD,
    ...overlay,
  });

/** A line of `esp_sa` as Wireshark writes it. */
function line(esp: SealedEsp, names: readonly [string, string], end = ''): string {
  const integrityKey = esp.integrityKey.length === 0 ? '' : `0x${hex(esp.integrityKey)}`;
  const [encryption, integrity] = names;
  return `"IPv4","10.0.0.1","10.0.0.2","0x12345678","${encryption}","0x${hex(esp.encryptionKey)}","${integrity}","${integrityKey}"${end}`;
}

const keysOf = (text: string): DecodeKeys => parseKeyText(text, 'esp_sa');

const NAMES: readonly (readonly [string, string | undefined, string, string])[] = [
  ['aes128', 'sha1', 'AES-CBC [RFC3602]', 'HMAC-SHA-1-96 [RFC2404]'],
  ['aes192', 'sha384', 'AES-CBC [RFC3602]', 'HMAC-SHA-384-192 [RFC4868]'],
  ['aes256', 'sha256', 'AES-CBC [RFC3602]', 'HMAC-SHA-256-128 [RFC4868]'],
  ['aes128', 'sha256-96', 'AES-CBC [RFC3602]', 'HMAC-SHA-256-96 [draft-ietf-ipsec-ciph-sha-256-00]'],
  ['3des', 'md5', 'TripleDES-CBC [RFC2451]', 'HMAC-MD5-96 [RFC2403]'],
  ['aes256ctr', 'sha512', 'AES-CTR [RFC3686]', 'HMAC-SHA-512-256 [RFC4868]'],
  ['aes128gcm16', undefined, 'AES-GCM with 16 octet ICV [RFC4106]', 'NULL'],
  ['aes256gcm8', undefined, 'AES-GCM with 8 octet ICV [RFC4106]', 'NULL'],
  ['aes192ccm12', undefined, 'aes192ccm12', 'NULL'],
  ['chacha20poly1305', undefined, 'ChaCha20 with Poly1305 [RFC7634]', 'NULL'],
];

describe('EspDecoder', () => {
  for (const [encryption, integrity, title, integrityTitle] of NAMES) {
    it(`opens ${encryption} with ${integrity ?? 'no other integrity'} by the names ${title} and ${integrityTitle}`, () => {
      const { integrity: _, ...base } = { encryption, integrity: '', spi: 0x12345678, sequence: 7, nextHeader: UDP };
      const esp = sealEsp({ ...base, payload: PAYLOAD, ...(integrity === undefined ? {} : { integrity }) });
      const before = esp.packet.slice();
      const decoded = new EspDecoder(keysOf(line(esp, [title, integrityTitle]))).decode(esp.packet, PLACE);
      expect(decoded.body).toMatchObject({
        protocol: 'esp',
        summary: 'ESP SPI 12345678 sequence 7 carries UDP',
        fields: { spi: '12345678', sequenceNumber: 7, decrypted: true, icv: 'good', nextHeader: UDP },
      });
      expect(decoded.body.error).toBeUndefined();
      expect(decoded.inner).toEqual({ nextHeader: UDP, bytes: PAYLOAD });
      expect(esp.packet).toEqual(before);
    });
  }

  it('tells SPI and sequence number without keys, and hands nothing on', () => {
    const decoded = new EspDecoder({ esp: [] }).decode(sealed().packet, PLACE);
    expect(decoded.body.fields).toMatchObject({ spi: '12345678', sequenceNumber: 7, decrypted: false });
    expect(decoded.inner).toBeUndefined();
  });

  it('names the ICV of a changed packet with its offset, and hands nothing on', () => {
    const esp = sealed();
    const keys = keysOf(line(esp, ['AES-CBC [RFC3602]', 'HMAC-SHA-1-96 [RFC2404]']));
    esp.packet[30] = (esp.packet[30] ?? 0) ^ 1;
    const { body, inner } = new EspDecoder(keys).decode(esp.packet, PLACE);
    expect(body.fields).toMatchObject({ icv: 'bad', decrypted: false });
    expect(body.error).toMatchObject({ field: 'ICV', offset: esp.packet.length - 12 });
    expect(inner).toBeUndefined();
  });

  it('does not use keys of another address, another SPI or another family', () => {
    const esp = sealed();
    const right = line(esp, ['AES-CBC [RFC3602]', 'HMAC-SHA-1-96 [RFC2404]']);
    const wrong = [
      right.replace('10.0.0.1', '10.0.0.9'),
      right.replace('0x12345678', '0x12345679'),
      right.replace('"IPv4","10.0.0.1","10.0.0.2"', '"IPv6","*","*"'),
    ];
    const { body } = new EspDecoder(keysOf(wrong.join('\n'))).decode(esp.packet, PLACE);
    expect(body.fields).toMatchObject({ decrypted: false });
    expect(body.error).toBeUndefined();
    const stars = right.replace('"10.0.0.1","10.0.0.2","0x12345678"', '"10.0.*.1","*","*"');
    expect(new EspDecoder(keysOf(stars)).decode(esp.packet, PLACE).inner).toBeDefined();
  });

  it('takes of several entries for one SPI the one that verifies', () => {
    const esp = sealed();
    const right = line(esp, ['AES-CBC [RFC3602]', 'HMAC-SHA-1-96 [RFC2404]']);
    const other = right.replace(hex(esp.integrityKey), hex(esp.integrityKey.toReversed()));
    expect(new EspDecoder(keysOf(`${other}\n${right}`)).decode(esp.packet, PLACE).inner).toBeDefined();
  });

  it('checks 64-bit sequence numbers where the table says so, and finds out where it says nothing', () => {
    const names = ['AES-CBC [RFC3602]', 'HMAC-SHA-1-96 [RFC2404]'] as const;
    const esp = sealed({ sequenceHigh: 0 });
    for (const end of ['', ',"64-bit"']) {
      const { body } = new EspDecoder(keysOf(line(esp, names, end))).decode(esp.packet, PLACE);
      expect(body.fields).toMatchObject({ icv: 'good', sequenceNumberHigh: 0 });
    }
    const { body } = new EspDecoder(keysOf(line(esp, names, ',"32-bit"'))).decode(esp.packet, PLACE);
    expect(body.fields).toMatchObject({ icv: 'bad' });
  });

  it('decrypts where the ICV cannot be checked, and says so', () => {
    const esp = sealed();
    const text = line(esp, ['AES-CBC [RFC3602]', 'ANY 96 bit authentication [no checking]']);
    const { body, inner } = new EspDecoder(keysOf(text)).decode(esp.packet, PLACE);
    expect(body.fields).toMatchObject({ decrypted: true, icv: 'not checked' });
    expect(inner?.bytes).toEqual(PAYLOAD);
  });

  it('says of a cipher that it cannot be decrypted, and of a length that it does not fit', () => {
    const esp = sealed();
    const des = line(esp, ['AES-CBC [RFC3602]', 'HMAC-SHA-1-96 [RFC2404]']).replace(
      'AES-CBC [RFC3602]',
      'DES-CBC [RFC2405]',
    );
    expect(new EspDecoder(keysOf(des)).decode(esp.packet, PLACE).body.error?.reason).toContain('DES-CBC');
    const keys = keysOf(line(esp, ['AES-CBC [RFC3602]', 'HMAC-SHA-1-96 [RFC2404]']));
    const cut = new EspDecoder(keys).decode(esp.packet.subarray(0, 41), PLACE);
    expect(cut.body.error).toMatchObject({ field: 'Payload Data', offset: 24 });
    expect(new EspDecoder(keys).decode(esp.packet.subarray(0, 5), PLACE).body.error).toMatchObject({ offset: 4 });
  });

  it('keeps a dummy packet to itself', () => {
    const esp = sealed({ nextHeader: 59 });
    const decoded = new EspDecoder(keysOf(line(esp, ['AES-CBC [RFC3602]', 'HMAC-SHA-1-96 [RFC2404]'])));
    expect(decoded.decode(esp.packet, PLACE)).toMatchObject({ body: { fields: { nextHeader: 59 } } });
    expect(decoded.decode(esp.packet, PLACE).inner).toBeUndefined();
  });
});
