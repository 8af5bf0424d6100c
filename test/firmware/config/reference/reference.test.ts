import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseConfiguration } from '../../../../firmware/config/parse.ts';
import { EXAMPLES } from '../../../../firmware/config/reference/examples.ts';
import { configurationReference, REFERENCE_PATH } from '../../../../firmware/config/reference/reference.ts';
import { CONFIGURATION_RULES } from '../../../../firmware/config/rules.ts';
import { CONFIGURATION_SCHEMA } from '../../../../firmware/config/schema.ts';
import { schemaEntries, withMembers } from '../../../../firmware/config/schema-entries.ts';
import { schemaNode } from '../../../../firmware/config/schema-node.ts';

const page = configurationReference();
const lines = page.split('\n');

/** The table row of a key or a rule. */
function rowOf(name: string): string | undefined {
  return lines.find((line) => line.startsWith(`| \`${name}\` |`));
}

function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map((match) => match[1] ?? '');
}

describe('the reference of the configuration', () => {
  it('is current in the checkout', () => {
    const stored = readFileSync(new URL(`../../../../${REFERENCE_PATH}`, import.meta.url), 'utf8');
    expect(stored === page, `${REFERENCE_PATH} is not what the schema says: run scripts/docs and commit the page`).toBe(
      true,
    );
  });

  it('has a row with title and description for every key', () => {
    const root = schemaEntries(schemaNode(CONFIGURATION_SCHEMA));
    const keys = [...withMembers(root)].filter(({ key }) => key !== '' && key !== 'NAME');
    expect(keys.length).toBeGreaterThan(100);
    for (const { path, node } of keys) {
      const row = rowOf(path) ?? (root.members.some((module) => module.path === path) ? page : undefined);
      expect(row, path).toContain(`**${node.title}.** ${node.description}`);
    }
  });

  it('says type, bounds, unit, default, secrecy and what must be written', () => {
    expect(rowOf('l2tp.clients.NAME.mru')).toMatch(/\| a whole number from 576 to 9000 octets \| `1400` \|$/);
    expect(rowOf('l2tp.clients.NAME.server')).toMatch(/\| an IP address or a host name .* \| \*\*required\*\* \|$/);
    expect(rowOf('l2tp.clients.NAME.password')).toMatch(/\*\*secret\*\* \| \*\*required\*\* \|$/);
    expect(rowOf('l2tp.servers.NAME.radius.servers[].secret')).toMatch(/\*\*secret\*\*/);
    expect(rowOf('l2tp.clients.NAME.secret')).toMatch(/\| not set \|$/);
    expect(rowOf('l2tp.clients.NAME.start')).toMatch(/\| "boot", "manual", "on-demand" or "called" \| `"boot"` \|$/);
    expect(rowOf('l2tp.clients.NAME.ipsec')).toMatch(/the name of an entry of `ipsec.connections`/);
    expect(rowOf('l2tp.servers.NAME.users')).toMatch(/at most 4096 entries.*the key is a user name of 1 to 64/);
    expect(rowOf('ipsec.connections.NAME.localSubnets')).toMatch(
      /a list of 0 to 256, each an IPv4 network.*none twice \| none/,
    );
    expect(rowOf('system.hostname')).toMatch(/\*When it changes:\* Every L2TP client dials anew/);
  });

  it('says in every module what a change interrupts', () => {
    const modules = page.slice(page.indexOf('\n## Keys\n'), page.indexOf('\n## Algorithms')).split('\n### ').slice(1);
    expect(modules).toHaveLength(8);
    for (const module of modules) expect(module.slice(0, 20), module).toMatch(/`/);
    for (const module of modules) expect(module).toContain('*When it changes:* ');
  });

  it('names every rule with its severity and its sentence', () => {
    for (const { name, severity, description } of CONFIGURATION_RULES) {
      expect(rowOf(name)).toBe(`| \`${name}\` | ${severity} | ${description} |`);
    }
  });

  it('shows examples that are taken as they stand', () => {
    const json = blocks('json');
    expect(json.map((text) => JSON.parse(text))).toEqual(EXAMPLES.map(({ document }) => document));
    for (const text of json) {
      const result = parseConfiguration(text, 'example.json');
      expect(result.ok ? [] : result.problems, text).toEqual([]);
    }
    const [yaml = '', ...more] = blocks('yaml');
    expect(more).toEqual([]);
    expect(parseConfiguration(yaml, 'branch.yaml')).toEqual(parseConfiguration(json[0] ?? '', 'branch.json'));
  });

  it('has no line of text that is too long to read', () => {
    expect(lines.filter((line) => line.length > 180 && !line.startsWith('|'))).toEqual([]);
  });
});
