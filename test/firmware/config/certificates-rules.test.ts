import { afterAll, describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import type { Problem } from '../../../firmware/config/problem.ts';
import { CONFIGURATION_RULES } from '../../../firmware/config/rules.ts';
import { CA_EXTENSIONS, Workshop } from '../certificates/test-authority.ts';
import { protectedDocument, withValue } from './example.ts';

const workshop = new Workshop();
afterAll(() => workshop.remove());

const acme = workshop.authority('/CN=Acme CA');
const other = workshop.authority('/CN=Other CA');
const impostor = workshop.authority('/CN=Acme CA');
const noLists = workshop.authority('/CN=No lists', {
  extensions: ['basicConstraints=CA:true', 'keyUsage=keyCertSign'],
});
const branch = acme.issue({ subject: '/O=Acme/CN=branch', extensions: ['subjectAltName=DNS:branch.example'] });
const rsa = acme.issue({ subject: '/CN=rsa', key: 'rsa:2048', extensions: ['subjectAltName=DNS:hub.example'] });
const weak = workshop.authority('/CN=weak', { key: 'rsa:1024', extensions: CA_EXTENSIONS });

const own = { certificate: branch.pem, key: branch.keyPem };
const CERTIFICATES = {
  ca: { certificate: acme.own.pem, crl: acme.revocationList([]) },
  branch: own,
  keyless: { certificate: branch.pem },
};
const CONNECTION = {
  version: 2,
  remote: '10.20.0.8',
  certificate: 'branch',
  authorities: ['ca'],
  localSubnets: ['192.168.12.0/24'],
  remoteSubnets: ['10.88.0.0/24'],
};

type Change = readonly [path: string, value: unknown];

/** Of the rules that are tested here. @param changes of the connection with a certificate, or of the certificates. */
function findings(...changes: readonly Change[]): readonly Problem[] {
  let document: unknown = withValue(protectedDocument(), 'ipsec.certificates', CERTIFICATES);
  document = withValue(document, 'ipsec.connections.plant', CONNECTION);
  for (const [path, value] of changes) document = withValue(document, path, value);
  const result = parseConfiguration(JSON.stringify(document), 'x.json');
  return (result.ok ? result.warnings : result.problems).filter(({ rule }) => /^(certificate|proof)-/.test(rule));
}

const PLANT = 'ipsec.connections.plant';
const EXTRA = 'ipsec.certificates.extra';
const encrypted = workshop.openssl('pkcs8', '-topk8', '-in', `${branch.name}.key`, '-passout', 'pass:abc');

const USERS = { alice: { password: 'alice-pw' } };

/** Users of version 1 who have a key in common. */
const GROUP = {
  version: 1,
  remote: 'any',
  psk: 'a long and random key of the group',
  users: USERS,
  localSubnets: ['192.168.12.0/24'],
  pool: '10.88.0.10-10.88.0.20',
};

/** Rule, severity, changes, path of the finding, what it says. */
const CASES: readonly (readonly [string, Problem['severity'], readonly Change[], string, RegExp])[] = [
  [
    'certificate-unreadable',
    'error',
    [[EXTRA, { certificate: broken(branch.pem) }]],
    `${EXTRA}.certificate`,
    /cannot be read/,
  ],
  [
    'certificate-unreadable',
    'error',
    [[EXTRA, { certificate: branch.pem + acme.own.pem }]],
    `${EXTRA}.certificate`,
    /2 certif/,
  ],
  ['certificate-unreadable', 'error', [[EXTRA, { ...own, key: acme.own.keyPem }]], `${EXTRA}.key`, /key of another/],
  ['certificate-unreadable', 'error', [[EXTRA, { ...own, key: encrypted }]], `${EXTRA}.key`, /under a passphrase/],
  [
    'certificate-unreadable',
    'error',
    [[EXTRA, { ...own, key: broken(branch.keyPem) }]],
    `${EXTRA}.key`,
    /cannot be read/,
  ],
  [
    'certificate-unreadable',
    'error',
    [[EXTRA, { ...own, chain: broken(acme.own.pem) }]],
    `${EXTRA}.chain`,
    /cannot be read/,
  ],
  [
    'certificate-unreadable',
    'error',
    [[EXTRA, { ...own, crl: broken(CERTIFICATES.ca.crl) }]],
    `${EXTRA}.crl`,
    /cannot be read/,
  ],
  [
    'certificate-crl',
    'error',
    [[`${EXTRA}`, { ...CERTIFICATES.ca, certificate: other.own.pem }]],
    `${EXTRA}.crl`,
    /another auth/,
  ],
  [
    'certificate-crl',
    'error',
    [[EXTRA, { ...CERTIFICATES.ca, certificate: impostor.own.pem }]],
    `${EXTRA}.crl`,
    /has not signed/,
  ],
  [
    'certificate-crl',
    'error',
    [[EXTRA, { certificate: noLists.own.pem, crl: noLists.revocationList([]) }]],
    `${EXTRA}.crl`,
    /may not sign lists/,
  ],
  [
    'certificate-weak',
    'warning',
    [[EXTRA, { certificate: weak.own.pem }]],
    `${EXTRA}.certificate`,
    /RSA with 1024 bits/,
  ],
  ['proof-one-way', 'error', [[`${PLANT}.psk`, 'long enough']], `${PLANT}.authorities`, /beside a pre-shared key/],
  [
    'proof-one-way',
    'error',
    [
      [`${PLANT}.certificate`, undefined],
      [`${PLANT}.authorities`, undefined],
    ],
    `${PLANT}.psk`,
    /nothing by which/,
  ],
  ['proof-one-way', 'error', [[`${PLANT}.authorities`, undefined]], `${PLANT}.authorities`, /beside a certificate/],
  ['proof-one-way', 'error', [[`${PLANT}.certificate`, undefined]], `${PLANT}.certificate`, /beside authorities/],
  ['proof-one-way', 'error', [[`${PLANT}.user`, 'alice']], `${PLANT}.password`, /nothing, beside a user/],
  ['proof-one-way', 'error', [[`${PLANT}.password`, 'alice-pw']], `${PLANT}.user`, /nothing, beside a user/],
  ['proof-one-way', 'error', [[`${PLANT}.user`, 'alice']], `${PLANT}.certificate`, /beside a user and a password/],
  ['proof-one-way', 'error', [[`${PLANT}.users`, USERS]], `${PLANT}.authorities`, /beside users who come in/],
  ['proof-shared-key', 'warning', [[PLANT, GROUP]], `${PLANT}.psk`, /can pose as this router/],
  ['proof-one-way', 'error', [[PLANT, { ...GROUP, psk: undefined }]], `${PLANT}.psk`, /nothing by which/],
  ['proof-one-way', 'error', [[PLANT, { ...GROUP, version: 2 }]], `${PLANT}.psk`, /beside users who come in by EAP/],
  ['proof-caller', 'error', [[PLANT, { ...GROUP, remote: '10.20.0.8' }]], `${PLANT}.remote`, /beside users/],
  [
    'proof-caller',
    'error',
    [[PLANT, { ...GROUP, user: 'bob', password: 'bob-pw' }]],
    `${PLANT}.remote`,
    /beside a user by which/,
  ],
  [
    'certificate-version',
    'error',
    [[PLANT, { ...CONNECTION, version: 1, remote: 'any', users: USERS }]],
    `${PLANT}.certificate`,
    /with ECDSA/,
  ],
  [
    'proof-one-way',
    'error',
    [
      [`${PLANT}.user`, 'alice'],
      [`${PLANT}.version`, 1],
    ],
    `${PLANT}.password`,
    /nothing, beside the user name/,
  ],
  [
    'proof-caller',
    'error',
    [
      [`${PLANT}.user`, 'alice'],
      [`${PLANT}.remote`, 'any'],
    ],
    `${PLANT}.remote`,
    /beside a user by which/,
  ],
  [
    'proof-caller',
    'error',
    [
      [`${PLANT}.users`, USERS],
      [`${PLANT}.remote`, '10.20.0.8'],
    ],
    `${PLANT}.remote`,
    /beside users/,
  ],
  ['certificate-version', 'error', [[`${PLANT}.version`, 1]], `${PLANT}.certificate`, /with ECDSA with P-256/],
  [
    'certificate-own',
    'error',
    [[`${PLANT}.certificate`, 'brunch']],
    `${PLANT}.certificate`,
    /"brunch", which is no certif/,
  ],
  ['certificate-own', 'error', [[`${PLANT}.certificate`, 'keyless']], `${PLANT}.certificate`, /no private key/],
  [
    'certificate-authorities',
    'error',
    [[`${PLANT}.authorities`, ['ca', 'x']]],
    `${PLANT}.authorities[1]`,
    /"x", which is no/,
  ],
  [
    'certificate-authorities',
    'error',
    [[`${PLANT}.authorities`, ['branch']]],
    `${PLANT}.authorities[0]`,
    /none of an authority/,
  ],
  [
    'certificate-identity',
    'error',
    [[`${PLANT}.localId`, 'hq.example']],
    `${PLANT}.localId`,
    /"hq.example", for which/,
  ],
];

/** The same with one octet of it changed: the first length. */
function broken(pem: string): string {
  return pem.replace(/-----\n(.)../, '-----\n$1//');
}

describe('the rules of certificates', () => {
  it.each(CASES)('%s, %s: %j', (rule, severity, changes, path, found) => {
    const matching = findings(...changes).filter((problem) => problem.rule === rule && problem.path === path);
    expect(matching).toEqual([expect.objectContaining({ severity, found: expect.stringMatching(found) })]);
    expect(JSON.stringify(matching)).not.toContain('PRIVATE KEY-----');
  });

  it('each have a case here', () => {
    const covered = new Set(CASES.map(([rule]) => rule));
    const names = CONFIGURATION_RULES.map(({ name }) => name).filter((name) => /^(certificate|proof)-/.test(name));
    expect(names.filter((name) => !covered.has(name))).toEqual([]);
  });

  it.each(['branch.example', 'O=Acme, CN=branch'])(
    'find nothing wrong with a good configuration and the identity %s',
    (id) => {
      const problems = findings([`${PLANT}.localId`, id]);
      expect(problems).toEqual([]);
    },
  );

  it.each<[string, readonly Change[]]>([
    [
      'a caller by user and password',
      [
        [`${PLANT}.certificate`, undefined],
        [`${PLANT}.user`, 'alice'],
        [`${PLANT}.password`, 'alice-pw'],
      ],
    ],
    [
      'a side that has users who log in by XAUTH',
      [
        ['ipsec.certificates.rsa', { certificate: rsa.pem, key: rsa.keyPem }],
        [PLANT, { ...CONNECTION, version: 1, certificate: 'rsa', remote: 'any', users: USERS }],
      ],
    ],
    [
      'a side that has users',
      [
        [`${PLANT}.authorities`, undefined],
        [`${PLANT}.users`, USERS],
        [`${PLANT}.remote`, 'any'],
      ],
    ],
  ])('find nothing wrong with %s', (_, changes) => {
    expect(findings(...changes)).toEqual([]);
  });

  it('suggest the name that was meant', () => {
    const [problem] = findings([`${PLANT}.certificate`, 'brunch']).filter(({ rule }) => rule === 'certificate-own');
    expect(problem?.suggestion).toBe('branch');
  });
});
