import { describe, expect, it } from 'vitest';
import type { Certificate } from '../../../firmware/certificates/certificate.ts';
import { explainRefusal } from '../../../firmware/certificates/own-refusal.ts';
import { parseDistinguishedName } from '../../../firmware/protocol/ike/distinguished-name.ts';

const NONE = new Uint8Array(0);
const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 27, 12);

function certificate(subject: string, from: number, until: number): Certificate {
  return {
    der: NONE,
    signed: { content: NONE, algorithm: NONE, signature: NONE },
    serialNumber: '2a',
    issuer: parseDistinguishedName('CN=Acme CA') ?? NONE,
    subject: parseDistinguishedName(subject) ?? NONE,
    notBefore: NOW + from * DAY,
    notAfter: NOW + until * DAY,
    publicKeyInfo: NONE,
    extensions: { isAuthority: false, unknown: [], names: [{ kind: 'dns', value: 'branch.example' }] },
  };
}

const own = certificate('CN=branch', -10, 10);
const RIGHT = { at: NOW, trusted: true };
const UNSET = { at: NOW, trusted: false };

describe('a peer says that the certificate here has expired', () => {
  it('and so it has', () => {
    const { clause, remedy } = explainRefusal([certificate('CN=branch', -10, -1)], 'expired', RIGHT);
    expect(clause).toMatch(
      /it has expired, .*"CN=branch".* is valid until 2026-11-26 12:00 UTC, .* is 2026-11-27 12:00 UTC$/,
    );
    expect(remedy).toBe('have the certificate of "CN=branch" renewed');
  });

  it('and what has is one that is sent with it', () => {
    const between = certificate('CN=Acme Branches CA', -10, -1);
    expect(explainRefusal([own, between], 'expired', RIGHT).remedy).toContain('"CN=Acme Branches CA" renewed');
  });

  it('and it has not: then it is about clocks', () => {
    expect(explainRefusal([own], 'expired', RIGHT).remedy).toMatch(/^check the clock of the peer, which may be ahead/);
    const { clause, remedy } = explainRefusal([own], 'expired', UNSET);
    expect(clause).toMatch(/the clock of this router has not been set since its start/);
    expect(remedy).toMatch(/^set the clock of this router to see/);
  });
});

describe('a peer says that the certificate here is not valid yet', () => {
  it.each([
    [own, RIGHT, /^check the clock of the peer, which may be behind$/],
    [certificate('CN=branch', 1, 10), RIGHT, /or wait until then$/],
    [own, UNSET, /^set the clock of this router, and check the clock of the peer/],
  ])('and the remedy depends on what time it is here', (one, now, words) => {
    const { clause, remedy } = explainRefusal([one], 'not-yet-valid', now);
    expect(clause).toMatch(/it is not valid yet/);
    expect(remedy).toMatch(words);
  });
});

it.each([
  ['identity', /not for the identity that is expected there; .* is for branch\.example$/, /"remoteId" of the peer/],
  ['authority', /of no authority that is believed there; .* was issued by "CN=Acme CA"$/, /"authorities"/],
  ['revoked', /it was revoked, .* serial number 2a$/, /new certificate issued for a new key/],
  ['unfit', /does not serve there/, /keyUsage/],
  ['signature', /our signature is not by the key/, /its own private key/],
] as const)('says what %s means, and what to do', (flaw, words, what) => {
  const { clause, remedy } = explainRefusal([own], flaw, RIGHT);
  expect(clause).toMatch(words);
  expect(remedy).toMatch(what);
});
