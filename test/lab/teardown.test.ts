import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { namespaceNames } from '../../scripts/lab/namespaces.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { describeWithNamespaces } from './needs.ts';
import { processesWith } from './processes.ts';

interface Held {
  readonly namespace: string;
  readonly folder: string;
}

async function holdResources(how: string): Promise<{ child: ChildProcess; held: Held }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'hold-resources.ts'), how], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
  const held: Held = JSON.parse(line);
  expect(processesWith(held.folder)).not.toEqual([]);
  return { child, held };
}

describeWithNamespaces('what the lab has made', () => {
  it.each([
    ['at a normal end', 'exit', (child: ChildProcess) => child.stdin?.write('go\n')],
    ['after an exception', 'throw', (child: ChildProcess) => child.stdin?.write('go\n')],
    ['after SIGTERM', 'wait', (child: ChildProcess) => child.kill('SIGTERM')],
    ['after SIGINT', 'wait', (child: ChildProcess) => child.kill('SIGINT')],
  ])('is gone %s', async (_, how, end) => {
    const { child, held } = await holdResources(how);
    end(child);
    await once(child, 'exit');
    expect(namespaceNames()).not.toContain(held.namespace);
    expect(existsSync(held.folder)).toBe(false);
    await waitFor('the end of the daemon', () => processesWith(held.folder).length === 0);
  });

  it('is ended by the kernel after SIGKILL, and swept by the next run', async () => {
    const killed = await holdResources('wait');
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    await waitFor('the end of the daemon', () => processesWith(killed.held.folder).length === 0);

    const next = await holdResources('exit');
    expect(namespaceNames()).not.toContain(killed.held.namespace);
    expect(existsSync(killed.held.folder)).toBe(false);
    next.child.stdin?.write('go\n');
    await once(next.child, 'exit');
  });
});
