import { Compile } from 'typebox/schema';
import { describe, expect, it } from 'vitest';
import { configurationComponents } from '../../../../firmware/config/derived/openapi.ts';
import { CONFIGURATION_SCHEMA } from '../../../../firmware/config/schema.ts';
import { schemaEntries, withMembers } from '../../../../firmware/config/schema-entries.ts';
import { schemaNode } from '../../../../firmware/config/schema-node.ts';
import { largeDocument } from '../../../../scripts/lab/large-document.ts';
import { exampleDocument, protectedDocument, withValue } from '../example.ts';

const components = configurationComponents();

/** Every object of the tree, with where it is. */
function* objects(value: unknown, path = ''): Iterable<readonly [string, Readonly<Record<string, unknown>>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [path, { ...value }];
  for (const [key, member] of Object.entries(value)) yield* objects(member, `${path}/${key}`);
}

const all = [...objects(components.schemas)];

describe('the OpenAPI components of the configuration', () => {
  it('are plain JSON without keywords that are not for others', () => {
    expect(JSON.parse(JSON.stringify(components))).toEqual(components);
    for (const [path, node] of all) {
      expect(
        Object.keys(node).filter((key) => key.startsWith('~') || key === 'x-secret'),
        path,
      ).toEqual([]);
    }
  });

  it('refer to schemas that there are, and each is referred to', () => {
    const references = all.flatMap(([, { $ref }]) =>
      typeof $ref === 'string' ? [$ref.replace('#/components/schemas/', '')] : [],
    );
    expect(new Set(['Configuration', ...references])).toEqual(new Set(Object.keys(components.schemas)));
  });

  it('have every secret as writeOnly, and nothing else', () => {
    const secrets = [...withMembers(schemaEntries(schemaNode(CONFIGURATION_SCHEMA)))].filter(
      ({ node }) => node['x-secret'],
    );
    const writeOnly = all.filter(([, node]) => node['writeOnly'] === true);
    expect(writeOnly.map(([path]) => path)).toHaveLength(secrets.length);
    expect(writeOnly.every(([, node]) => node['format'] === 'password')).toBe(true);
    expect(writeOnly.map(([path]) => path)).toContain('/IpsecConnectionsEntry/properties/psk');
  });

  it('require what has no default', () => {
    expect(components.schemas['L2tpClientsEntry']).toMatchObject({ required: ['server', 'user', 'password'] });
    expect(components.schemas['Configuration']).not.toHaveProperty('required');
  });

  it('take configurations as they are written, and refuse what breaks them', () => {
    const root = { components, $ref: '#/components/schemas/Configuration' };
    const validator = Compile(root);
    for (const document of [{}, exampleDocument(), protectedDocument(), largeDocument(50)]) {
      expect(validator.Check(document)).toBe(true);
    }
    const wrong: readonly (readonly [string, unknown])[] = [
      ['l2tp.clients.hq.server', undefined],
      ['l2tp.clients.hq.port', 0],
      ['l2tp.clients.hq.prot', 1701],
      ['l2tp.clients.a b', {}],
      ['interfaces.lan.zone', 'dmz'],
      ['routes', [{}]],
      ['l2tp.servers.office.dns', ['10.0.0.1', '10.0.0.1']],
    ];
    for (const [path, value] of wrong) {
      expect(validator.Check(withValue(exampleDocument(), path, value)), path).toBe(false);
    }
  });
});
