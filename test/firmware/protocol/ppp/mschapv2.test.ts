import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DecodeError, hex, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import {
  decodeMsChapV2Response,
  encodeMsChapV2Response,
  explainFailure,
  MSCHAP_V2,
  parseFailureMessage,
} from '../../../../firmware/protocol/ppp/mschapv2.ts';
import {
  challengeHash,
  desEncrypt,
  desKey,
  generateAuthenticatorResponse,
  generateNtResponse,
  masterSessionKey,
  ntPasswordHash,
} from '../../../../firmware/protocol/ppp/mschapv2-crypto.ts';

const octets = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));

/** RFC 2759 section 9.2. */
const USER = utf8Bytes('User');
const PASSWORD = 'clientPass';
const AUTHENTICATOR_CHALLENGE = octets('5B 5D 7C 7D 7B 3F 2F 3E 3C 2C 60 21 32 26 26 28');
const PEER_CHALLENGE = octets('21 40 23 24 25 5E 26 2A 28 29 5F 2B 3A 33 7C 7E');
const NT_RESPONSE = octets('82 30 9E CD 8D 70 8B 5E A0 8F AA 39 81 CD 83 54 42 33 11 4A 3D 85 D6 DF');
const AUTHENTICATOR_RESPONSE = 'S=407A5589115FD0D6209F510FE9C04566932CDA56';

describe('the computations of MS-CHAPv2', () => {
  it('give the values of RFC 2759 section 9.2', () => {
    expect(hex(challengeHash(PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, USER))).toBe('d02e4386bce91226');
    const hash = ntPasswordHash(PASSWORD);
    expect(hash).toEqual(octets('44 EB BA 8D 53 12 B8 D6 11 47 44 11 F5 69 89 AE'));
    expect(generateNtResponse(AUTHENTICATOR_CHALLENGE, PEER_CHALLENGE, USER, hash)).toEqual(NT_RESPONSE);
    expect(generateAuthenticatorResponse(hash, NT_RESPONSE, PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, USER)).toBe(
      AUTHENTICATOR_RESPONSE,
    );
  });

  it('give the send key of the server of RFC 3079 section 3.5.3, as the second part of the Master Session Key', () => {
    const msk = masterSessionKey(ntPasswordHash(PASSWORD), NT_RESPONSE);
    expect(hex(msk.subarray(16, 32))).toBe('8b7cdc149b993a1ba118cb153f56dccb');
    expect(hex(msk.subarray(32))).toBe('00'.repeat(32));
    expect(msk.subarray(0, 16)).not.toEqual(msk.subarray(16, 32));
  });

  it('leave the domain out of the challenge hash', () => {
    const withDomain = challengeHash(PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, utf8Bytes('BIGCO\\User'));
    expect(hex(withDomain)).toBe('d02e4386bce91226');
  });

  it('spread DES keys over eight octets with odd parity, as in section 9.3', () => {
    expect(desKey(octets('FC 15 6A F7 ED CD 6C'))).toEqual(octets('FD 0B 5B 5E 7F 6E 34 D9'));
    expect(desKey(octets('0E DD E3 33 7D 42 7F'))).toEqual(octets('0E 6E 79 67 37 EA 08 FE'));
  });

  it('encrypt a block with single DES', () => {
    // The key 0123456789ABCDEF without its parity bits; the well-known answer to "Now is t".
    const seven = octets('00 45 13 37 8D 57 77').slice();
    const bits = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef].reduce(
      (sum, octet) => (sum << 7n) | BigInt(octet >> 1),
      0n,
    );
    for (let index = 6, rest = bits; index >= 0; index -= 1, rest >>= 8n) seven[index] = Number(rest & 0xffn);
    expect(hex(desEncrypt(utf8Bytes('Now is t'), seven))).toBe('3fa40e8a984d4815');
  });

  it('hash passwords beyond ASCII as UTF-16', () => {
    expect(hex(ntPasswordHash('password'))).toBe('8846f7eaee8fb117ad06bdd830b7586c');
    expect(hex(ntPasswordHash('pässword'))).not.toBe(hex(ntPasswordHash('password')));
  });
});

describe('the packets of MS-CHAPv2', () => {
  it('carry a response that decodes as it was encoded', () => {
    const value = encodeMsChapV2Response({ peerChallenge: PEER_CHALLENGE, ntResponse: NT_RESPONSE });
    expect(value).toHaveLength(49);
    expect(decodeMsChapV2Response(value)).toEqual({ peerChallenge: PEER_CHALLENGE, ntResponse: NT_RESPONSE });
    expect(() => decodeMsChapV2Response(value.subarray(0, 48))).toThrow(DecodeError);
  });

  it('are verified: the right response and no other', () => {
    const input = { identifier: 1, challenge: AUTHENTICATOR_CHALLENGE, name: USER, password: PASSWORD };
    const right = encodeMsChapV2Response({ peerChallenge: PEER_CHALLENGE, ntResponse: NT_RESPONSE });
    expect(MSCHAP_V2.verify(input, right)).toEqual({ ok: true, successMessage: `${AUTHENTICATOR_RESPONSE} M=Welcome` });
    expect(MSCHAP_V2.verify({ ...input, password: 'clientpass' }, right).ok).toBe(false);
    expect(MSCHAP_V2.verify(input, right.subarray(0, 48)).ok).toBe(false);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (response) => {
        expect(MSCHAP_V2.verify(input, response).ok).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  it('let the client tell a server that knows the password from one that does not', () => {
    const random = { bytes: () => PEER_CHALLENGE };
    const input = { identifier: 1, challenge: AUTHENTICATOR_CHALLENGE, name: USER, password: PASSWORD };
    const proof = MSCHAP_V2.respond(input, random);
    expect(proof.confirm(utf8Bytes(`${AUTHENTICATOR_RESPONSE} M=hello`))).toBeUndefined();
    expect(proof.confirm(utf8Bytes(AUTHENTICATOR_RESPONSE.toLowerCase().replace('s=', 'S=')))).toBeUndefined();
    for (const message of ['', 'S=', 'M=hello', `S=${'0'.repeat(40)} M=hello`, AUTHENTICATOR_RESPONSE.slice(0, 41)]) {
      expect(proof.confirm(utf8Bytes(message))?.reason, message).toContain('did not prove');
    }
  });

  it('say in words why the server refused', () => {
    const wrong = explainFailure('alice', utf8Bytes(`E=691 R=1 C=${'0'.repeat(32)} V=3 M=No such luck`));
    expect(wrong).toEqual({
      step: 'authentication',
      reason: 'the server refused user alice (MS-CHAPv2): error 691, wrong user name or password: "No such luck"',
      remedy: 'check the user name and password',
    });
    expect(explainFailure('alice', utf8Bytes('E=648 R=0 V=3')).reason).toContain('expired');
    expect(explainFailure('alice', utf8Bytes('E=649 R=0 V=3')).remedy).toContain('dial-in');
    expect(explainFailure('alice', utf8Bytes('go\naway')).reason).toContain('"go\\x0aaway"');
    expect(explainFailure('alice', utf8Bytes('')).reason).toBe('the server refused user alice (MS-CHAPv2)');
    expect(explainFailure('alice', utf8Bytes('E=4711 R=0')).reason).toContain('error 4711');
  });

  it('are taken apart whatever a Failure says', () => {
    expect(parseFailureMessage(utf8Bytes('E=691 R=1 C=00 V=3 M=a b'))).toEqual({
      error: 691,
      retryAllowed: true,
      text: 'a b',
    });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (message) => {
        explainFailure('alice', message);
      }),
    );
  });

  it('have a failure message of our own that says what a failure must say', () => {
    const message = MSCHAP_V2.failureMessage({ bytes: (length) => new Uint8Array(length).fill(0xab) });
    expect(message).toBe(`E=691 R=0 C=${'AB'.repeat(16)} V=3 M=Authentication failed`);
  });
});
