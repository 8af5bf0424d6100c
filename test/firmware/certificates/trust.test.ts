import { KeyObject } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { trustIn } from '../../../firmware/certificates/ike-certificates.ts';
import type { CertificateMaterial } from '../../../firmware/certificates/material.ts';
import { parseIkeIdentity } from '../../../firmware/config/ike-identity.ts';
import type { CertificateTrust } from '../../../firmware/protocol/ike/authentication.ts';
import type { IkeIdentity } from '../../../firmware/protocol/ike/ike-types.ts';
import type { Failure } from '../../../firmware/protocol/machine.ts';
import { CA_EXTENSIONS, DAY, type Issue, type Issued, NOW, type TestAuthority, Workshop } from './test-authority.ts';

const workshop = new Workshop();
afterAll(() => workshop.remove());

const acme = workshop.authority('/C=DE/O=Acme/CN=Acme CA');
const SAN = 'subjectAltName=DNS:hq.example,IP:192.0.2.1,IP:2001:db8::1,email:Admin@hq.example,DNS:*.wild.example';
const end: Issue = { subject: '/C=DE/O=Acme/CN=hq', extensions: [SAN, 'keyUsage=digitalSignature'] };
const good = acme.issue(end);

function identity(text: string): IkeIdentity {
  const parsed = parseIkeIdentity(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

function trust(authorities: readonly CertificateMaterial[], at = NOW, trusted = true): CertificateTrust {
  return trustIn(authorities, () => ({ at, trusted }));
}

function judge(judging: CertificateTrust, chain: readonly Issued[], text = 'hq.example'): KeyObject | Failure {
  return judging.judge(
    chain.map(({ certificate }) => certificate.der),
    identity(text),
  );
}

function words(result: KeyObject | Failure): string {
  return 'reason' in result ? `${result.step}: ${result.reason}; ${result.remedy}` : 'believed';
}

const material = (authority: TestAuthority, more: Partial<CertificateMaterial> = {}): CertificateMaterial => ({
  certificate: authority.own.pem,
  ...more,
});

const believing = trust([material(acme)]);

describe('the judge of certificates', () => {
  it('gives the key of a certificate that an authority has issued', () => {
    const key = judge(believing, [good]);
    expect(key).toBeInstanceOf(KeyObject);
    expect(key).toMatchObject({ asymmetricKeyType: 'ec', type: 'public' });
  });

  it.each(['hq.example', 'HQ.Example', '192.0.2.1', '2001:db8::1', 'Admin@HQ.example', 'c=de, o=ACME, cn=hq'])(
    'believes it for %s',
    (text) => expect(words(judge(believing, [good], text))).toBe('believed'),
  );

  it.each(['example', 'x.hq.example', 'x.wild.example', '@*.wild.example', '192.0.2.2', 'admin@hq.example'])(
    'does not believe it for %s',
    (text) =>
      expect(words(judge(believing, [good], text))).toMatch(
        /is of somebody else: the peer says that it is .*hq\.example/,
      ),
  );

  it('does not look for a name in the common name', () => {
    const bare = acme.issue({ subject: '/CN=hq.example' });
    expect(words(judge(believing, [bare]))).toMatch(/has no subjectAltName/);
    expect(words(judge(believing, [bare], 'CN=hq.example'))).toBe('believed');
  });

  it.each(['rsa:2048', 'ec:P-384', 'ed25519'] as const)('believes authorities and ends with %s', (key) => {
    const authority = workshop.authority('/CN=Another CA', { key });
    const below = authority.issue({ ...end, key, digest: key === 'ed25519' ? 'default' : 'sha384' });
    expect(words(judge(trust([material(authority)]), [below]))).toBe('believed');
  });

  it('believes RSASSA-PSS', () => {
    const authority = workshop.authority('/CN=PSS CA', { key: 'rsa:2048', pss: true });
    const below = authority.issue({ ...end, pss: true });
    expect(words(judge(trust([material(authority)]), [below]))).toBe('believed');
  });

  it('names authorities as certificate requests do', () => {
    expect(believing.authorityNames).toEqual([acme.own.certificate.subject]);
    expect(believing.authorityKeyHashes.map(({ length }) => length)).toEqual([20]);
  });
});

describe('each of the five', () => {
  it('expired', () => {
    const old = acme.issue({ ...end, notBefore: NOW - 30 * DAY, notAfter: NOW - DAY });
    expect(words(judge(believing, [old]))).toBe(
      'authentication: the certificate "C=DE, O=Acme, CN=hq" has expired: it was valid until 2026-11-26 12:00 UTC, and now ' +
        'it is 2026-11-27 12:00 UTC; have the certificate of "C=DE, O=Acme, CN=hq" renewed',
    );
  });

  it('not yet valid, by a clock that was never set', () => {
    const early = acme.issue({ ...end, notBefore: NOW + DAY });
    expect(words(judge(believing, [early]))).toMatch(
      /is not valid yet: it will be from 2026-11-28 12:00 UTC on, .* clock/,
    );
    expect(words(judge(trust([material(acme)], NOW, false), [early]))).toMatch(
      /now it is 2026-11-27 12:00 UTC at least \(the clock of this router has not been set.*; set the clock of this router$/,
    );
  });

  it('another name', () => {
    expect(words(judge(believing, [good], 'branch.example'))).toBe(
      'authentication: the certificate "C=DE, O=Acme, CN=hq" is of somebody else: the peer says that it is branch.example, and ' +
        'the certificate is for hq.example, 192.0.2.1, 2001:db8::1, Admin@hq.example and others; give the peer a ' +
        'certificate with branch.example in its subjectAltName, or let it call itself what its certificate says',
    );
  });

  it('another authority, under another name and under the same', () => {
    const other = workshop.authority('/CN=Other CA');
    expect(words(judge(believing, [other.issue(end), other.own]))).toBe(
      'authentication: the certificate "C=DE, O=Acme, CN=hq" was issued by "CN=Other CA", and that is not one of the ' +
        'authorities that are believed here: "C=DE, O=Acme, CN=Acme CA"; give the peer a certificate of one of these, or ' +
        'add its authority to "authorities" of the connection',
    );
    const impostor = workshop.authority('/C=DE/O=Acme/CN=Acme CA');
    expect(words(judge(believing, [impostor.issue(end)]))).toMatch(/by another key under the same name/);
    // A renewed authority: both are believed, the right one is found.
    expect(words(judge(trust([material(acme), material(impostor)]), [impostor.issue(end)]))).toBe('believed');
  });

  it('revoked, with date and reason, also by a list that is out of date', () => {
    const stolen = acme.issue(end);
    const crl = acme.revocationList([[stolen, 'keyCompromise']], 1);
    for (const later of [0, 90 * DAY]) {
      const judging = trust([material(acme, { crl })], NOW + later);
      expect(words(judge(judging, [stolen]))).toMatch(
        /"C=DE, O=Acme, CN=hq" was revoked by "C=DE, O=Acme, CN=Acme CA" on \d{4}-.* UTC because its key is in the wrong hands; /,
      );
      expect(words(judge(judging, [good]))).toBe('believed');
    }
  });
});

describe('the way to an authority', () => {
  const middle = workshop.intermediate(acme, '/CN=Middle');
  const below = middle.issue(end);

  it('goes over certificates that the peer sends, in any order and among others, or that are known here', () => {
    const other = workshop.authority('/CN=Unrelated');
    expect(words(judge(believing, [below, other.own, middle.own]))).toBe('believed');
    expect(words(judge(trust([material(acme, { chain: middle.own.pem })]), [below]))).toBe('believed');
    expect(words(judge(believing, [below]))).toMatch(/issued by "CN=Middle", and that is not one/);
  });

  it('ends at an authority that is below another one, too', () => {
    expect(words(judge(trust([material(middle)]), [below]))).toBe('believed');
  });

  it('does not go over the certificate of somebody who is no authority', () => {
    expect(words(judge(believing, [workshop.intermediate(acme, '/CN=hq2', { extensions: [SAN] }).issue(end)]))).toMatch(
      /not one of/,
    );
    const mallory = workshop.intermediate(acme, '/CN=mallory', { extensions: ['basicConstraints=CA:false'] });
    expect(words(judge(believing, [mallory.issue(end), mallory.own]))).toMatch(/not allowed to issue others/);
    const noSign = workshop.intermediate(acme, '/CN=m', {
      extensions: ['basicConstraints=CA:true', 'keyUsage=cRLSign'],
    });
    expect(words(judge(believing, [noSign.issue(end), noSign.own]))).toMatch(
      /not allowed to issue others \(keyUsage\)/,
    );
  });

  it('is not longer than an authority allows', () => {
    const short = workshop.authority('/CN=Short', { extensions: ['basicConstraints=critical,CA:true,pathlen:0'] });
    const under = workshop.intermediate(short, '/CN=Under');
    expect(words(judge(trust([material(short)]), [short.issue(end)]))).toBe('believed');
    expect(words(judge(trust([material(short)]), [under.issue(end), under.own]))).toMatch(
      /allows 0 authorities below it/,
    );
  });

  it('has no expired or revoked authority on it', () => {
    const old = workshop.intermediate(acme, '/CN=Old', { notBefore: NOW - 9 * DAY, notAfter: NOW - DAY });
    expect(words(judge(believing, [old.issue(end), old.own]))).toMatch(/"CN=Old" has expired/);
    const crl = acme.revocationList([[middle.own, 'CACompromise']]);
    expect(words(judge(trust([material(acme, { crl })]), [below, middle.own]))).toMatch(/"CN=Middle" was revoked/);
  });

  it('keeps to name constraints', () => {
    const extensions = [
      ...CA_EXTENSIONS,
      'nameConstraints=critical,permitted;DNS:example,excluded;DNS:bad.example,permitted;IP:192.0.2.0/255.255.255.0',
    ];
    const bound = workshop.authority('/CN=Bound', { extensions });
    const named = (names: string) =>
      words(judge(trust([material(bound)]), [bound.issue({ extensions: [`subjectAltName=${names}`] })]));
    expect(named('DNS:hq.example')).toBe('believed');
    expect(named('DNS:hq.example,IP:192.0.2.9')).toBe('believed');
    expect(named('DNS:hq.example,DNS:bad.example')).toMatch(/may not issue certificates for bad\.example/);
    expect(named('DNS:hq.example,DNS:hq.test')).toMatch(/may not issue certificates for hq\.test/);
    expect(named('DNS:hq.example,IP:198.51.100.1')).toMatch(/may not issue certificates for 198\.51\.100\.1/);
  });

  it('has no weak key on it, which is not even tried', () => {
    for (const key of ['rsa:1024', 'rsa:2048:large-exponent'] as const) {
      const feeble = workshop.intermediate(acme, '/CN=Feeble', { key });
      expect(words(judge(believing, [feeble.issue(end), feeble.own]))).toMatch(/"CN=Feeble" has a key of RSA with/);
    }
  });

  it('ends within a bounded number of signatures, whatever is sent', () => {
    const twins = Array.from({ length: 11 }, () => workshop.authority('/CN=Twin').own);
    const started = performance.now();
    expect(words(judge(believing, [...twins, ...twins]))).toMatch(/not one of the authorities/);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('a certificate does not serve', () => {
  it.each([
    ['with a short RSA key', { key: 'rsa:1024' }, /a key of RSA with 1024 bits/],
    [
      'with an RSA exponent that takes time',
      { key: 'rsa:2048:large-exponent' },
      /RSA with an exponent that nobody uses/,
    ],
    ['for encryption only', { extensions: [SAN, 'keyUsage=keyEncipherment'] }, /not allowed to sign/],
    ['for signing code', { extensions: [SAN, 'extendedKeyUsage=codeSigning'] }, /another purpose than IKE/],
    [
      'with a critical extension that is unknown',
      { extensions: [SAN, '1.2.3.4=critical,DER:0500'] },
      /extension 1\.2\.3\.4/,
    ],
  ] as const)('%s', (_, more, said) => {
    expect(words(judge(believing, [acme.issue({ ...end, ...more })]))).toMatch(said);
  });

  it.each(['serverAuth', 'clientAuth', 'anyExtendedKeyUsage', '1.3.6.1.5.5.7.3.17,codeSigning'])(
    'but with the purpose %s it does',
    (purpose) => {
      const issued = acme.issue({ ...end, extensions: [SAN, `extendedKeyUsage=${purpose}`, '1.2.3.4=DER:0500'] });
      expect(words(judge(believing, [issued]))).toBe('believed');
    },
  );

  it('when SHA-1 is in its signature', () => {
    const authority = workshop.authority('/CN=Old RSA', { key: 'rsa:2048' });
    const issued = authority.issue({ ...end, digest: 'sha1' });
    expect(words(judge(trust([material(authority)]), [issued]))).toMatch(
      /a signature by RSA with SHA-1, which can be forged/,
    );
  });

  it('when none was sent', () => {
    expect(words(judge(believing, []))).toMatch(/sent no certificate/);
  });
});

describe('whatever octets come', () => {
  it('the judge does not throw, and believes nothing that was changed', () => {
    const { der } = good.certificate;
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
        fc.option(fc.nat(der.length), { nil: undefined }),
        (changes, length) => {
          const octets = Uint8Array.from(der);
          for (const [at, bits] of changes) octets[at] = (octets[at] ?? 0) ^ bits;
          const sent = octets.subarray(0, length ?? octets.length);
          if (Buffer.from(sent).equals(der)) return;
          const result = believing.judge([sent, octets, der], identity('hq.example'));
          expect(words(result)).not.toBe('believed');
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('octets of no meaning are told as such', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }), (chain) => {
        expect(words(believing.judge(chain, identity('hq.example')))).toMatch(/cannot be read/);
      }),
    );
  });
});
