import { describe, expect, it } from 'vitest';
import { configurationForms, type FormField } from '../../../../firmware/config/derived/forms.ts';
import { CONFIGURATION_SCHEMA } from '../../../../firmware/config/schema.ts';
import { schemaEntries, withMembers } from '../../../../firmware/config/schema-entries.ts';
import { schemaNode } from '../../../../firmware/config/schema-node.ts';

const forms = configurationForms();
const fields = forms.flatMap((form) => form.fields);

function field(path: string): FormField {
  const found = fields.find((one) => one.path === path);
  if (found === undefined) throw new Error(`no field ${path}`);
  return found;
}

describe('the forms of the configuration', () => {
  it('have a field for every value, once', () => {
    const values = [...withMembers(schemaEntries(schemaNode(CONFIGURATION_SCHEMA)))].filter(
      ({ kind }) => kind === 'value',
    );
    expect(fields.map(({ path }) => path).sort()).toEqual(values.map(({ path }) => path).sort());
  });

  it('hang together: every form but the first is a section of exactly one other', () => {
    const sections = forms.flatMap((form) => form.sections);
    expect(forms[0]?.path).toBe('');
    expect([...sections].sort()).toEqual(
      forms
        .slice(1)
        .map(({ path }) => path)
        .sort(),
    );
  });

  it('say how often an object is there', () => {
    const repeats = new Map(forms.map((form) => [form.path, form.repeats]));
    expect(repeats.get('system')).toBe('one');
    expect(repeats.get('l2tp.clients.NAME')).toBe('named');
    expect(repeats.get('l2tp.clients.NAME.hello')).toBe('one');
    expect(repeats.get('routes[]')).toBe('listed');
    expect(forms.find(({ path }) => path === 'l2tp.servers.NAME.users.NAME')?.names).toMatch(/^a user name/);
    expect(forms.find(({ path }) => path === 'routes[]')?.names).toBeUndefined();
  });

  it('describe a number, a choice, a secret, a list and a reference', () => {
    expect(field('l2tp.clients.NAME.mru')).toEqual({
      path: 'l2tp.clients.NAME.mru',
      key: 'mru',
      title: 'MRU',
      help: 'Largest packet inside the tunnel; leave room for the outer headers.',
      input: 'number',
      allowed: 'a whole number from 576 to 9000 octets',
      unit: 'octets',
      default: 1400,
      minimum: 576,
      maximum: 9000,
      secret: false,
      required: false,
      priority: 'advanced',
    });
    expect(field('ipsec.connections.NAME.version')).toMatchObject({ input: 'select', options: [1, 2], default: 2 });
    expect(field('ipsec.connections.NAME.psk')).toMatchObject({ input: 'password', secret: true, required: false });
    expect(field('l2tp.clients.NAME.authentication')).toMatchObject({
      input: 'select-list',
      options: ['pap', 'chap', 'mschapv1', 'mschapv2', 'eap'],
      fewest: 1,
      most: 5,
    });
    expect(field('l2tp.clients.NAME.routes')).toMatchObject({ input: 'text-list', fewest: 0, most: 256, default: [] });
    expect(field('l2tp.clients.NAME.ipsec')).toMatchObject({ input: 'select', refersTo: 'ipsec.connections' });
    expect(field('l2tp.clients.NAME.ipsec')).not.toHaveProperty('options');
    expect(field('l2tp.clients.NAME.sourcePort')).toMatchObject({ input: 'text', default: 'ephemeral' });
    expect(field('l2tp.clients.NAME.masquerade')).toMatchObject({ input: 'checkbox', default: false });
    expect(field('system.hostname')).toMatchObject({ input: 'text', pattern: expect.stringMatching(/^\^/) });
  });

  it('ask for secrets as passwords, and for nothing else', () => {
    const secret = fields.filter((one) => one.secret).map(({ path }) => path);
    expect(secret).toContain('l2tp.servers.NAME.radius.servers[].secret');
    expect(fields.filter(({ input }) => input === 'password').map(({ path }) => path)).toEqual(secret);
  });

  it('call basic what a first set-up needs, and whatever must be written in a basic form', () => {
    const basic = fields.filter(({ priority }) => priority === 'basic').map(({ path }) => path);
    expect(basic.length).toBeLessThan(fields.length / 3);
    const simple = ['system', 'interfaces.NAME', 'interfaces.NAME.ipv4', 'l2tp.clients.NAME', 'ipsec.connections.NAME'];
    const hidden = forms
      .filter(({ path }) => simple.includes(path))
      .flatMap((form) => form.fields.filter(({ required, priority }) => required && priority !== 'basic'));
    expect(hidden).toEqual([]);
  });
});
