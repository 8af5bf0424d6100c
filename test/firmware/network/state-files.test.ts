import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ResolvedNames } from '../../../firmware/network/resolved-names.ts';
import { SessionDns } from '../../../firmware/network/session-dns.ts';

let state: string;

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'culvert-names-'));
});

afterEach(() => rm(state, { recursive: true, force: true }));

describe('ResolvedNames', () => {
  it('remembers the last good addresses over a restart, whatever the case of the name', async () => {
    const names = new ResolvedNames(state);
    await names.load();
    await names.remember('VPN.example.com.', ['198.51.100.1', '2001:DB8::1']);
    await names.remember('vpn.example.com', []);
    const next = new ResolvedNames(state);
    await next.load();
    expect(next.get('vpn.EXAMPLE.com')).toEqual(['198.51.100.1', '2001:db8::1']);
    expect(next.get('other.example')).toEqual([]);
  });

  it('does not write when only the order changed', async () => {
    const names = new ResolvedNames(state);
    await names.remember('a.example', ['198.51.100.1', '198.51.100.2']);
    await rm(join(state, 'resolved-names.json'));
    await names.remember('a.example', ['198.51.100.2', '198.51.100.1']);
    expect(await readdir(state)).toEqual([]);
  });

  it.each(['{"a.example": ["198.51', '[]', '{"a.example": "198.51.100.1"}', '{"a.example": ["no address"]}'])(
    'takes %j for nothing',
    async (text) => {
      await writeFile(join(state, 'resolved-names.json'), text);
      const names = new ResolvedNames(state);
      await names.load();
      expect(names.get('a.example')).toEqual([]);
    },
  );

  it('keeps a bounded number of names, the latest', async () => {
    const many = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`n${index}.example`, ['198.51.100.1']]));
    await writeFile(join(state, 'resolved-names.json'), JSON.stringify(many));
    const names = new ResolvedNames(state);
    await names.load();
    expect(names.get('n0.example')).toEqual([]);
    expect(names.get('n599.example')).toEqual(['198.51.100.1']);
  });
});

describe('SessionDns', () => {
  it('writes a file per session in the format of resolv.conf and removes it with the session', async () => {
    const dns = new SessionDns(state);
    await dns.write('hq', ['10.99.0.53', '10.99.0.53', 'rubbish\nnameserver 6.6.6.6']);
    expect(await readFile(join(state, 'dns', 'hq.conf'), 'utf8')).toBe(
      '# DNS servers told by the peer of hq\nnameserver 10.99.0.53\n',
    );
    await dns.write('hq', []);
    await dns.remove('hq');
    expect(await readdir(join(state, 'dns'))).toEqual([]);
  });

  it('starts with none, and removes before anything was written', async () => {
    const dns = new SessionDns(state);
    await dns.clear();
    await dns.remove('hq');
    await dns.write('hq', ['10.99.0.53']);
    await dns.clear();
    expect(await readdir(join(state, 'dns'))).toEqual([]);
  });

  it('refuses a name that would leave its directory', async () => {
    await expect(new SessionDns(state).write('../x', ['10.99.0.53'])).rejects.toThrow(/cannot name a file/);
  });
});
