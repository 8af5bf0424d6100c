import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type JournalEntry, journalScope, NetworkJournal } from '../../../firmware/network/journal.ts';
import { type Snapshot, undoSteps } from '../../../firmware/network/undo.ts';

const UP: JournalEntry = { kind: 'link-up', device: 'lan0' };
const ADDRESS: JournalEntry = { kind: 'address', device: 'lan0', address: '192.168.12.1/24' };

let state: string;

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'culvert-journal-'));
});

afterEach(() => rm(state, { recursive: true, force: true }));

const journal = (scope = 'here') => new NetworkJournal({ stateDirectory: state, scope });

describe('the journal', () => {
  it('is on the disk when record is done, and is read by the next one', async () => {
    await journal().record([UP, ADDRESS]);
    const path = join(state, 'network-journal.json');
    expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({ scope: 'here', entries: [UP, ADDRESS] });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const next = journal();
    expect(await next.load()).toBeUndefined();
    expect(next.entries).toEqual([UP, ADDRESS]);
  });

  it('has each entry once, and no file when it is empty', async () => {
    const subject = journal();
    await subject.record([UP]);
    await subject.record([UP, ADDRESS]);
    expect(subject.entries).toEqual([UP, ADDRESS]);
    await subject.forget([UP]);
    expect(subject.entries).toEqual([ADDRESS]);
    await subject.forget([ADDRESS]);
    expect(await readdir(state)).toEqual([]);
  });

  it('is void in another boot or namespace', async () => {
    await journal('here').record([UP]);
    const other = journal('there');
    expect(await other.load()).toBeUndefined();
    expect(other.entries).toEqual([]);
  });

  it('knows this boot and this namespace', () => {
    expect(journalScope()).toMatch(/^[0-9a-f-]{36} net:\[\d+\]$/);
    expect(journalScope()).toBe(journalScope());
  });
});

describe('undoSteps', () => {
  const snapshot: Snapshot = {
    links: [{ index: 2, name: 'lan0', up: true, carrier: true, mtu: 1300, mac: '' }],
    addresses: [{ device: 'lan0', address: '192.168.12.1/24' }],
    sysctls: new Map([['net.ipv4.ip_forward', '1']]),
    routes: [],
  };

  it('goes backwards', () => {
    const { steps } = undoSteps([UP, ADDRESS], snapshot);
    expect(steps.map(({ done }) => done)).toEqual(['address 192.168.12.1/24 removed from lan0', 'lan0 set down']);
  });

  it('undoes several changes of one value down to the first', () => {
    const mtu = (from: number, to: number): JournalEntry => ({ kind: 'mtu', device: 'lan0', from, to });
    const { steps } = undoSteps([mtu(1500, 1400), mtu(1400, 1300)], snapshot);
    expect(steps.map(({ done }) => done)).toEqual(['MTU of lan0 set back to 1400', 'MTU of lan0 set back to 1500']);
  });

  it('leaves what is no longer as it was made, and names it', () => {
    const gone: JournalEntry[] = [
      { kind: 'link-up', device: 'eth9' },
      { kind: 'mtu', device: 'lan0', from: 1500, to: 1400 },
      { kind: 'address', device: 'lan0', address: '10.0.0.1/8' },
      { kind: 'sysctl', key: 'net.ipv4.conf.all.src_valid_mark', from: '0', to: '1' },
    ];
    expect(undoSteps(gone, snapshot)).toEqual({ steps: [], void: gone.toReversed() });
  });
});
