import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collectSecrets } from '../../../../firmware/config/redact.ts';
import type { Configuration } from '../../../../firmware/config/schema.ts';
import { deviceKeyFrom, SealError } from '../../../../firmware/config/secrets/device-key.ts';
import { openDocument, sealDocument } from '../../../../firmware/config/secrets/sealed-document.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { exampleDocument, parsed, protectedDocument, withValue } from '../example.ts';
import { anyText } from './any-text.ts';

const key = deviceKeyFrom(new SeededRandom(1).bytes(32), new SeededRandom(2));
const stored = (configuration: Configuration) => JSON.stringify(sealDocument(configuration, key));
const reopened = (text: string) => openDocument(JSON.parse(text), key);

/** A configuration is anything the schema has a place for; what it does not know is kept as well. */
const asConfiguration = (value: unknown) => value as Configuration;

describe('sealDocument', () => {
  it('leaves no secret in clear, and everything else as it is', () => {
    const configuration = parsed(protectedDocument());
    const text = stored(configuration);
    expect(collectSecrets(configuration).length).toBeGreaterThanOrEqual(4);
    for (const secret of collectSecrets(configuration)) expect(text).not.toContain(secret);
    expect(text).toContain('"hostname":"branch-12"');
    expect(text).toContain('"user":"alice"');
    expect(JSON.parse(text)).toMatchObject({
      l2tp: { clients: { hq: { password: { sealed: expect.stringMatching(/^1\./) } } } },
    });
  });

  it('gives the same secret another text in every place and every time', () => {
    const twice = withValue(exampleDocument(), 'l2tp.clients.hq.secret', 'alice-pw');
    const texts = [stored(parsed(twice)), stored(parsed(twice))].flatMap(
      (text) => text.match(/"sealed":"[^"]+"/g) ?? [],
    );
    expect(texts.length).toBe(6);
    expect(new Set(texts).size).toBe(6);
  });
});

describe('openDocument', () => {
  it('gives back whole configurations', () => {
    for (const document of [exampleDocument(), protectedDocument(), {}]) {
      const configuration = parsed(document);
      expect(reopened(stored(configuration))).toEqual(configuration);
    }
  });

  it('gives back whatever was sealed, odd keys, values and secrets among them', () => {
    const name = fc.oneof(
      fc.constantFrom('sealed', '__proto__', 'constructor', 'toString', 'a/b', 'a~1b', 'a.b', '', '0'),
      anyText(30),
    );
    const secret = fc.oneof(anyText(60), fc.constant('\ud800'), fc.integer());
    const clients = fc.dictionary(
      name,
      fc.record({ user: fc.string(), password: secret, secret }, { requiredKeys: [] }),
    );
    // Places that no schema has: what an older version may have stored.
    const strange = fc.jsonValue({ maxDepth: 2 });
    const records = fc.dictionary(name, fc.oneof(fc.string(), fc.dictionary(name, fc.string())));
    fc.assert(
      fc.property(clients, strange, records, (hq, old, aliases) => {
        // As JSON has it: no -0, and null-prototype objects become plain ones when compared as text.
        const value: unknown = JSON.parse(JSON.stringify({ l2tp: { clients: hq }, old, aliases, sealed: 'x' }));
        return JSON.stringify(reopened(stored(asConfiguration(value)))) === JSON.stringify(value);
      }),
    );
  });

  it('gives back objects that look like a sealed secret and are none', () => {
    const value = { interfaces: { sealed: 'a name' }, l2tp: { clients: { sealed: { password: 'p' } } } };
    expect(reopened(stored(asConfiguration(value)))).toEqual(value);
  });

  it('reaches no prototype through a document', () => {
    const opened = openDocument(JSON.parse('{"__proto__": {"polluted": 1}, "a": {"constructor": 2}}'), key);
    expect(JSON.stringify(opened)).toBe('{"__proto__":{"polluted":1},"a":{"constructor":2}}');
    expect(Object.getPrototypeOf(opened)).toBeNull();
    expect('polluted' in {}).toBe(false);
  });

  it('opens what stands in places that the schema of today does not have', () => {
    const document = { old: [{ words: { sealed: key.seal('"psst"', '/old/0/words') } }] };
    expect(openDocument(document, key)).toEqual({ old: [{ words: 'psst' }] });
  });

  it('refuses a secret that was put in the place of another, and names the path', () => {
    const document = JSON.parse(stored(parsed(exampleDocument())));
    const { clients, servers } = document.l2tp;
    [clients.hq.password, servers.office.users.bob.password] = [servers.office.users.bob.password, clients.hq.password];
    expect(() => openDocument(document, key)).toThrow(SealError);
    expect(() => openDocument(document, key)).toThrow(
      /^The secret at l2tp\.clients\.hq\.password cannot be opened: .*from another place\.$/,
    );
  });

  it('tells long keys apart that messages cut to the same', () => {
    const long = 'a/'.repeat(60);
    const value = { l2tp: { clients: { [`${long}1`]: { password: 'one' }, [`${long}2`]: { password: 'two' } } } };
    const document = JSON.parse(stored(asConfiguration(value)));
    const swapped = { l2tp: { clients: { [`${long}1`]: document.l2tp.clients[`${long}2`] } } };
    expect(() => openDocument(swapped, key)).toThrow(SealError);
  });

  it('says that another key sealed it', () => {
    const other = deviceKeyFrom(new SeededRandom(3).bytes(32), new SeededRandom(4));
    const document = JSON.parse(stored(parsed(exampleDocument())));
    expect(() => openDocument(document, other)).toThrow(/l2tp\.clients\.hq\.password.*another device key/);
  });
});
