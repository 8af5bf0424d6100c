import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PPPOE_SESSIONS_FILE, PppoeMemory } from '../../../../firmware/uplink/ppp/pppoe-memory.ts';

const SESSION = { device: 'eth0', peerMac: '02:00:00:00:00:a1', sessionId: 77 };

let directory: string;
let complaints: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'culvert-memory-'));
  complaints = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

async function loaded(): Promise<PppoeMemory> {
  const memory = new PppoeMemory(directory, (line) => complaints.push(line));
  await memory.load();
  return memory;
}

describe('the memory of PPPoE sessions', () => {
  it('knows after a restart what stood, and nothing that was ended', async () => {
    const memory = await loaded();
    memory.remember('adsl', SESSION);
    memory.remember('fibre', { ...SESSION, sessionId: 5 });
    memory.remember('fibre', undefined);
    await memory.settled();
    const later = await loaded();
    expect(later.recall('adsl')).toEqual(SESSION);
    expect(later.recall('fibre')).toBeUndefined();
    expect(complaints).toEqual([]);
  });

  it('is for its owner only', async () => {
    const memory = await loaded();
    memory.remember('adsl', SESSION);
    await memory.settled();
    expect(statSync(join(directory, PPPOE_SESSIONS_FILE)).mode & 0o777).toBe(0o600);
  });

  it('passes over what makes no sense', async () => {
    const good = 'fibre eth1 02:00:00:00:00:a2 9\n';
    const lines = [
      'adsl eth0 02:00:00:00:00 77',
      'adsl eth0 02:00:00:00:00:a1 0',
      'adsl eth0 02:00:00:00:00:a1 65535',
      '',
    ];
    writeFileSync(join(directory, PPPOE_SESSIONS_FILE), `${lines.join('\n')}${good}`);
    const memory = await loaded();
    expect(memory.recall('adsl')).toBeUndefined();
    expect(memory.recall('fibre')?.sessionId).toBe(9);
  });

  it('says what it cannot read, and works on', async () => {
    writeFileSync(join(directory, PPPOE_SESSIONS_FILE), 'x'.repeat(100_000));
    const memory = await loaded();
    expect(complaints).toEqual([expect.stringMatching(/^The PPPoE sessions of the run before are not known/)]);
    memory.remember('adsl', SESSION);
    await memory.settled();
    expect(readFileSync(join(directory, PPPOE_SESSIONS_FILE), 'utf8')).toBe('adsl eth0 02:00:00:00:00:a1 77\n');
    chmodSync(directory, 0o700);
  });
});
