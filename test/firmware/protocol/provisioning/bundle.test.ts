import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  bundleDevice,
  enrolmentPublicKey,
  openBundle,
  sealBundle,
} from '../../../../firmware/protocol/provisioning/bundle.ts';
import {
  codeFrom,
  normalCode,
  privateKeyFrom,
  publicTextOf,
} from '../../../../firmware/protocol/provisioning/bundle-keys.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';

const random = new SeededRandom(7);
const privateKey = privateKeyFrom(random.bytes(32));
const device = publicTextOf(privateKey);
const enrolment = generateKeyPairSync('ed25519');
const content = {
  configuration: '{"system":{"hostname":"branch-12"}}',
  fileName: 'branch.json',
  adminPassword: 'secret',
};
const CODE = '7Q3K-9X2M';
const code = normalCode(CODE) ?? '';

const byCode = () => sealBundle(content, device, { code: CODE }, random);
const byKey = () => sealBundle(content, device, { enrolmentKey: enrolment.privateKey }, random);
const enrolmentKey = enrolment.publicKey;

describe('a bundle', () => {
  it('is opened by its router with the code, and shows nothing before', () => {
    const text = byCode();
    expect(text).not.toContain('branch-12');
    expect(text).not.toContain('secret');
    expect(bundleDevice(text)).toBe(device);
    expect(openBundle(text, { privateKey, code })).toEqual({ ok: true, content, authority: 'code' });
  });

  it('is opened by its router when the enrolment key has signed it', () => {
    expect(openBundle(byKey(), { privateKey, enrolmentKey })).toEqual({ ok: true, content, authority: 'enrolment' });
  });

  it('is another each time', () => {
    expect(byCode()).not.toBe(byCode());
  });

  it('with another code is refused as a guess', () => {
    const opened = openBundle(byCode(), { privateKey, code: normalCode('7Q3K-9X2N') ?? '' });
    expect(opened).toMatchObject({ ok: false, guess: true });
  });

  it('by code is refused when there is none any more, and by key where there is none', () => {
    expect(openBundle(byCode(), { privateKey, enrolmentKey })).toMatchObject({ ok: false, guess: false });
    expect(openBundle(byKey(), { privateKey, code })).toMatchObject({ ok: false, guess: false });
  });

  it('that somebody else has signed, or that was changed, is refused', () => {
    const other = generateKeyPairSync('ed25519');
    const theirs = sealBundle(content, device, { enrolmentKey: other.privateKey }, random);
    expect(openBundle(theirs, { privateKey, enrolmentKey })).toMatchObject({ ok: false });
    const bundle = JSON.parse(byKey()) as Record<string, string>;
    for (const key of ['ephemeral', 'sealed', 'signature']) {
      const text = bundle[key] ?? '';
      const changed = { ...bundle, [key]: `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}` };
      expect(openBundle(JSON.stringify(changed), { privateKey, enrolmentKey })).toMatchObject({ ok: false });
    }
    // A signature does not make a bundle by code out of one by key, nor the other way.
    const turned = { ...bundle, authority: 'code' };
    expect(openBundle(JSON.stringify(turned), { privateKey, enrolmentKey, code })).toMatchObject({ ok: false });
  });

  it('for another router is refused, and says so', () => {
    const other = privateKeyFrom(random.bytes(32));
    expect(openBundle(byCode(), { privateKey: other, code })).toMatchObject({
      ok: false,
      guess: false,
      reason: expect.stringContaining(device),
    });
  });

  it('with an ephemeral key of small order is refused', () => {
    const bundle = { ...JSON.parse(byCode()), ephemeral: Buffer.alloc(32).toString('base64url') };
    expect(openBundle(JSON.stringify(bundle), { privateKey, code })).toMatchObject({ ok: false });
  });

  it.each(['', '{', 'null', '[]', '{"culvertBundle":2}', '{"culvertBundle":1,"device":5}'])('is not %j', (text) => {
    expect(openBundle(text, { privateKey, code })).toMatchObject({ ok: false, guess: false });
    expect(bundleDevice(text)).toBeUndefined();
  });

  it('is not made for a key or with a code that is none', () => {
    expect(() => sealBundle(content, 'short', { code: CODE }, random)).toThrow(RangeError);
    expect(() => sealBundle(content, device, { code: '123' }, random)).toThrow(RangeError);
  });
});

describe('a code', () => {
  it('is read however it is typed', () => {
    expect(normalCode('7q3k 9x2m')).toBe('7Q3K9X2M');
    expect(normalCode('OIL0-1234')).toBe('01101234');
    expect(normalCode('7Q3K-9X2')).toBeUndefined();
    expect(normalCode('7Q3K-9X2U')).toBeUndefined();
    expect(codeFrom(random.bytes(8))).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/);
  });
});

describe('an enrolment key', () => {
  it('is Ed25519 in PEM, and nothing else', () => {
    const pem = enrolmentKey.export({ format: 'pem', type: 'spki' }).toString();
    expect(enrolmentPublicKey(pem)?.asymmetricKeyType).toBe('ed25519');
    const other = generateKeyPairSync('x25519').publicKey.export({ format: 'pem', type: 'spki' }).toString();
    expect(enrolmentPublicKey(other)).toBeUndefined();
    expect(enrolmentPublicKey('rubbish')).toBeUndefined();
  });
});
