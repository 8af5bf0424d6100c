import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../firmware/config/parse.ts';
import { hashPassword, matches, readHash } from '../../../firmware/config/password-hash.ts';
import { collectSecrets, redactConfiguration } from '../../../firmware/config/redact.ts';
import { hashPasswords } from '../../../firmware/config/store/hash-passwords.ts';
import { readTotpSecret, writeTotpSecret } from '../../../firmware/config/totp-secret.ts';
import { SeededRandom } from '../../support/seeded-random.ts';
import { parsed } from './example.ts';

const GOOD = 'seven blue lamps';

/** RFC 9106 has no PHC strings; this one was made by the reference implementation's command, "password" with "somesalt". */
const FOREIGN = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';

const withUsers = (users: unknown) => ({ system: { hostname: 'a' }, users });

function rulesBroken(users: unknown): string[] {
  const result = parseConfiguration(JSON.stringify(withUsers(users)), 'x.json');
  return result.ok ? [] : result.problems.map(({ rule, path }) => `${rule} ${path}`);
}

describe('a user of the router', () => {
  it.each([
    ['too short', 'blue lamp'],
    ['with the name in it', 'xx ALICE is here'],
    ['that is tried first', 'Password123'],
    ['of hardly any characters', 'ababababababab'],
  ])('does not get a password %s', (_what, password) => {
    expect(rulesBroken({ alice: { role: 'admin', password } })).toContain('user-password-weak users.alice.password');
  });

  it('may be given with a hash, but with none that would hold a login up', () => {
    expect(rulesBroken({ alice: { role: 'admin', password: FOREIGN } })).toEqual([]);
    for (const wrong of [
      FOREIGN.replace('m=65536', 'm=9999999'),
      FOREIGN.replace('t=2', 't=200'),
      FOREIGN.replace('argon2id', 'argon2i'),
      FOREIGN.slice(0, 50),
    ])
      expect(rulesBroken({ alice: { role: 'admin', password: wrong } })).toEqual([
        'user-password-hash users.alice.password',
      ]);
  });

  it('is shown without the password, and the log strikes it out', () => {
    const configuration = parsed(withUsers({ alice: { role: 'admin', password: FOREIGN, totp: 'A'.repeat(32) } }));
    expect(JSON.stringify(redactConfiguration(configuration))).not.toMatch(/argon2|AAAA/);
    expect(collectSecrets(configuration)).toContain(FOREIGN);
  });

  it('cannot have a second factor whose secret is none', () => {
    const user = { role: 'admin', password: GOOD };
    expect(rulesBroken({ alice: { ...user, totp: 'JBSWY3DPEHPK3PXP' } })).toEqual([
      'user-totp-unreadable users.alice.totp',
    ]);
    expect(rulesBroken({ alice: { ...user, totp: 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP' } })).toEqual([]);
  });

  it('is not the last one who can change anything', () => {
    const password = GOOD;
    expect(rulesBroken({ alice: { role: 'operator', password } })).toEqual(['user-no-administrator users']);
    expect(rulesBroken({ alice: { role: 'admin', password, disabled: true } })).toEqual([
      'user-no-administrator users',
    ]);
    expect(rulesBroken({ alice: { role: 'operator', password }, bob: { role: 'admin', password } })).toEqual([]);
  });
});

describe('the hash of a password', () => {
  it('is what other programs make of the same password', async () => {
    const hash = readHash(FOREIGN);
    if (hash === undefined) throw new Error('it cannot be read');
    expect(await matches('password', hash)).toBe(true);
    expect(await matches('passwore', hash)).toBe(false);
  });

  it('does not depend on how accents were typed, and is another one each time', async () => {
    const random = new SeededRandom(1);
    const [first, second] = [hashPassword('caf\u00e9 au lait', random), hashPassword('caf\u00e9 au lait', random)];
    expect(first).not.toBe(second);
    const hash = readHash(first);
    if (hash === undefined) throw new Error('it cannot be read');
    expect(await matches('cafe\u0301 au lait', hash)).toBe(true);
  });

  it('takes the place of clear passwords, is kept while the password is the same, and leaves weak ones to the rules', () => {
    const random = new SeededRandom(2);
    const before = parsed(withUsers({ alice: { role: 'admin', password: GOOD } }));
    const hashed = hashPasswords(before, before, random);
    const text = hashed.users['alice']?.password ?? '';
    expect(text).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(hashPasswords(before, hashed, random)).toEqual(hashed);
    const others = { users: { alice: { role: 'admin', password: `${GOOD}!` }, bob: { password: 'short' }, eve: 7 } };
    const again = hashPasswords<unknown>(others, hashed, random);
    expect(again).toMatchObject({ users: { bob: { password: 'short' }, eve: 7 } });
    expect(JSON.stringify(again)).not.toContain(GOOD);
    expect(JSON.stringify(again)).not.toContain(text);
  });
});

describe('the secret of a second factor', () => {
  it('is Base32 as authenticator apps read it (RFC 4648 section 10)', () => {
    expect(writeTotpSecret(Buffer.from('foobar'))).toBe('MZXW6YTBOI');
    const octets = Buffer.from('12345678901234567890');
    expect(readTotpSecret(writeTotpSecret(octets))).toEqual(octets);
    expect(readTotpSecret('gezd gnbv-GY3T QOJQ GEZD GNBV GY3T QOJQ====')).toEqual(octets);
    expect(readTotpSecret('GEZDGNBV1Y3TQOJQGEZDGNBVGY3TQOJQ')).toBeUndefined();
  });
});
