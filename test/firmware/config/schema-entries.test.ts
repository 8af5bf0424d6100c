import { describe, expect, it } from 'vitest';
import { CONFIGURATION_SCHEMA } from '../../../firmware/config/schema.ts';
import { schemaEntries, withMembers } from '../../../firmware/config/schema-entries.ts';
import { schemaNode } from '../../../firmware/config/schema-node.ts';

const all = [...withMembers(schemaEntries(schemaNode(CONFIGURATION_SCHEMA)))];

function entry(path: string) {
  const found = all.find((one) => one.path === path);
  if (found === undefined) throw new Error(`no entry ${path}`);
  return found;
}

describe('the entries of the schema', () => {
  it('have paths with NAME for names and [] for items, each once', () => {
    const paths = all.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    expect(paths).toEqual(
      expect.arrayContaining(['', 'l2tp.clients.NAME.hello.probes', 'l2tp.servers.NAME.users.NAME']),
    );
    expect(paths).toEqual(expect.arrayContaining(['routes[].prefix', 'l2tp.servers.NAME.radius.servers[].port']));
  });

  it('are of a kind', () => {
    expect(
      ['l2tp', 'l2tp.clients', 'routes', 'l2tp.clients.NAME.routes', 'system.hostname'].map((path) => entry(path).kind),
    ).toEqual(['object', 'record', 'objects', 'value', 'value']);
  });

  it('must be written where they have no default and the object around them is', () => {
    expect(entry('l2tp.clients.NAME.server').required).toBe(true);
    expect(entry('l2tp.clients.NAME.port').required).toBe(false);
    expect(entry('l2tp.clients.NAME.ipsec').required).toBe(false);
  });

  it('interrupt what is said above them, unless they say something of their own', () => {
    expect(entry('l2tp.clients.NAME.hello.probes').restarts).toBe(entry('l2tp.clients').restarts);
    expect(entry('l2tp.servers.NAME.users.NAME.password').restarts).toMatch(/^This server/);
    expect(
      all.filter(({ kind, restarts }) => kind === 'value' && restarts === undefined).map(({ path }) => path),
    ).toEqual([]);
  });
});
