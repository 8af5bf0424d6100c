import { describe, expect, it } from 'vitest';
import { TEXT_FORMATS } from '../../../firmware/config/formats.ts';
import { CONFIGURATION_SCHEMA, ownEntry } from '../../../firmware/config/schema.ts';
import { recordOf, type SchemaNode, schemaNode } from '../../../firmware/config/schema-node.ts';

function nodes(node: SchemaNode, path = ''): [string, SchemaNode][] {
  const record = recordOf(node);
  return [
    [path, node],
    ...Object.entries(node.properties ?? {}).flatMap(([key, member]) => nodes(member, `${path}.${key}`)),
    ...(record === undefined ? [] : nodes(record.value, `${path}.NAME`)),
    ...(node.items === undefined ? [] : nodes(node.items, `${path}[]`)),
  ];
}

const all = nodes(schemaNode(CONFIGURATION_SCHEMA));

describe('the schema', () => {
  it('has a title and a description for every key', () => {
    const silent = all.filter(([, node]) => !node.title || !/^.+\.$/s.test(node.description ?? ''));
    expect(silent.map(([path]) => path)).toEqual([]);
    expect(all.length).toBeGreaterThan(60);
  });

  it('refuses unknown keys in every object', () => {
    const open = all.filter(
      ([, node]) => node.type === 'object' && Reflect.get(node, 'additionalProperties') !== false,
    );
    expect(open.map(([path]) => path)).toEqual([]);
  });

  it('bounds every list and every object with free keys', () => {
    const boundless = all.filter(
      ([, node]) =>
        (node.type === 'array' && node.maxItems === undefined) ||
        (recordOf(node) !== undefined && node.maxProperties === undefined),
    );
    expect(boundless.map(([path]) => path)).toEqual([]);
  });

  it('marks every password and secret, and nothing else', () => {
    const secrets = all.filter(([, node]) => node['x-secret'] === true).map(([path]) => path);
    expect(secrets).toEqual([
      '.system.metrics.token',
      '.interfaces.NAME.dsl.password',
      '.modems.NAME.pin',
      '.modems.NAME.password',
      '.uplinks.NAME.password',
      '.l2tp.clients.NAME.password',
      '.l2tp.clients.NAME.secret',
      '.l2tp.servers.NAME.users.NAME.password',
      '.l2tp.servers.NAME.radius.servers[].secret',
      '.l2tp.servers.NAME.forward.NAME.secret',
      '.l2tp.servers.NAME.secret',
      '.ipsec.connections.NAME.psk',
      '.ipsec.connections.NAME.password',
      '.ipsec.connections.NAME.users.NAME.password',
      '.ipsec.connections.NAME.ppk',
      '.ipsec.certificates.NAME.key',
      '.users.NAME.password',
      '.users.NAME.totp',
    ]);
  });

  it('knows every format that it names, and constrains all text', () => {
    const loose = all.filter(
      ([, node]) => node.type === 'string' && node.pattern === undefined && !(node.format ?? '' in TEXT_FORMATS),
    );
    expect(loose.map(([path]) => path)).toEqual([]);
    for (const [path, node] of all) {
      if (node.format !== undefined) expect(Object.keys(TEXT_FORMATS), path).toContain(node.format);
    }
  });
});

describe('ownEntry', () => {
  it('finds what was configured and no member of every object', () => {
    expect(ownEntry({ bob: 1 }, 'bob')).toBe(1);
    expect(ownEntry({ bob: 1 }, 'constructor')).toBeUndefined();
    expect(ownEntry({ bob: 1 }, '__proto__')).toBeUndefined();
  });
});
