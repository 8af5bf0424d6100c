import { describe, expect, it } from 'vitest';
import { completeConfiguration } from '../../../../firmware/config/derived/completion.ts';
import { CONFIGURATION_SCHEMA } from '../../../../firmware/config/schema.ts';
import { schemaEntries, withMembers } from '../../../../firmware/config/schema-entries.ts';
import { schemaNode } from '../../../../firmware/config/schema-node.ts';
import { parsed, protectedDocument, withValue } from '../example.ts';

const routes = [{ prefix: '10.50.0.0/16', gateway: '10.20.0.3' }];
const configuration = parsed(withValue(protectedDocument(), 'routes', routes));

/** @param line as typed, without the command; the last word is unfinished. */
function complete(line: string) {
  const words = line.split(' ');
  return completeConfiguration(words.slice(0, -1), words.at(-1) ?? '', configuration);
}

function texts(line: string): string[] {
  return complete(line).map(({ text }) => text);
}

describe('completion of the configuration', () => {
  it('begins with the modules, with a help text each', () => {
    expect(texts('')).toEqual(['system', 'interfaces', 'modems', 'uplinks', 'l2tp', 'ipsec', 'routes', 'users']);
    expect(complete('')[0]).toEqual({ text: 'system', help: 'The router itself.', kind: 'key' });
  });

  it.each<[string, readonly string[]]>([
    ['l2tp clients hq ser', ['server']],
    ['l2tp clients hq IDLE', ['idleSeconds']],
    ['l2tp clients hq sever', ['server']],
    ['l2tp clients hq xyzzy', []],
    ['l2tp clients ', ['hq', '<name>']],
    ['l2tp clients x', ['<name>']],
    ['l2tp clients new start o', ['on-demand']],
    ['l2tp clients hq masquerade ', ['true', 'false']],
    ['l2tp clients hq ipsec ', ['hq', 'plant']],
    ['l2tp clients hq sourcePort ', ['ephemeral', '<source-port>']],
    ['l2tp clients hq hello probes ', ['<probes>']],
    ['l2tp clients hq authentication pap ', ['chap', 'mschapv1', 'mschapv2', 'eap']],
    ['l2tp clients hq routes 10.0.0.0/8 ', ['<network>']],
    ['l2tp servers office users b', ['bob', '<name>']],
    ['l2tp servers office dns 10.0.0.1 10.0.0.2 ', []],
    ['ipsec connections hq version ', ['1', '2']],
    ['routes ', ['0', '1']],
    ['routes 0 g', ['gateway']],
    ['routes 1 device ', ['eth0', 'lan0']],
    ['routes 2 ', []],
    ['l2tp clients hq server 10.20.0.2 ', []],
    ['l2tp clients a/b ', []],
    ['l2tp constructor ', []],
    ['interfaces __proto__ ', []],
    ['firewall ', []],
  ])('offers after %j: %j', (line, expected) => {
    expect(texts(line)).toEqual(expected);
  });

  it('says what a value may be, which is the default, and what is missing', () => {
    expect(complete('l2tp clients hq mru ')).toEqual([
      { text: '<mru>', help: 'A whole number from 576 to 9000 octets; 1400 without it.', kind: 'placeholder' },
    ]);
    expect(complete('ipsec connections hq mode tun')).toEqual([
      { text: 'tunnel', help: 'The default.', kind: 'value' },
    ]);
    expect(complete('l2tp clients new server')[0]?.help).toBe('Address or name of the L2TP server. Required.');
    expect(complete('l2tp clients hq server')[0]?.help).toBe('Address or name of the L2TP server.');
    expect(complete('routes ')[0]).toEqual({ text: '0', help: 'prefix 10.50.0.0/16', kind: 'name' });
  });

  it('offers no secret, and nothing of the values that there are where it explains one', () => {
    const everything = ['l2tp clients hq password ', 'l2tp clients hq secret ', 'ipsec connections hq psk '].flatMap(
      complete,
    );
    expect(everything.map(({ kind }) => kind)).toEqual(['placeholder', 'placeholder', 'placeholder']);
    for (const { help } of everything) expect(help).toContain('it is asked for, and not shown');
    expect(JSON.stringify(everything)).not.toMatch(/alice-pw|labpsk|tunnel secret, if/);
  });

  it('explains what names a connection while there is none', () => {
    const none = parsed({ interfaces: {} });
    expect(completeConfiguration(['l2tp', 'clients', 'hq', 'ipsec'], '', none)).toEqual([
      { text: '<ipsec-connection>', help: expect.stringMatching(/^A name of 1 to 32/), kind: 'placeholder' },
    ]);
  });

  it('leads to every value of the schema, with a help text of one line', () => {
    const values = [...withMembers(schemaEntries(schemaNode(CONFIGURATION_SCHEMA)))].filter(
      ({ kind }) => kind === 'value',
    );
    expect(values.length).toBeGreaterThan(80);
    for (const { path } of values) {
      const words = path.replaceAll('[]', '.0').split('.');
      const keys = completeConfiguration(words.slice(0, -1), words.at(-1) ?? '', configuration);
      expect(
        keys.map(({ text }) => text),
        path,
      ).toContain(words.at(-1));
      const offered = completeConfiguration(words, '', configuration);
      expect(offered.length, path).toBeGreaterThan(0);
      for (const { help } of [...keys, ...offered]) expect(help, path).toMatch(/^[^\n]+$/);
    }
  });
});
