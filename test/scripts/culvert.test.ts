import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tryRun } from '../../scripts/lab/shell.ts';

const ROOT = join(import.meta.dirname, '../..');
const RUNTIME = `scripts/runtime/node_modules/node-linux-${process.arch}`;

describe('scripts/culvert', () => {
  let folder: string;
  let checkout: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'culvert test '));
    checkout = join(folder, 'a checkout');
    mkdirSync(join(checkout, 'scripts/runtime'), { recursive: true });
    for (const file of ['scripts/culvert', 'scripts/setup', 'scripts/runtime/locate']) {
      copyFileSync(join(ROOT, file), join(checkout, file));
    }
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const pretendToBeSetUp = () => {
    for (const path of [`${RUNTIME}/bin`, 'node_modules', 'firmware/cli']) {
      mkdirSync(join(checkout, path), { recursive: true });
    }
    symlinkSync(process.execPath, join(checkout, RUNTIME, 'bin/node'));
    writeFileSync(join(checkout, 'node_modules/.culvert-setup'), '');
    writeFileSync(
      join(checkout, 'firmware/cli/main.ts'),
      'const args: string[] = process.argv.slice(2); console.log(JSON.stringify(args)); process.exitCode = 2;',
    );
  };

  it('says what to do when the set-up has not run', async () => {
    const result = await tryRun([join(checkout, 'scripts/culvert'), 'show', 'status']);
    expect(result).toEqual({
      code: 1,
      stdout: '',
      stderr: `culvert: the packages it needs are not installed yet; run ${checkout}/scripts/setup first.\n`,
    });
  });

  it('passes its arguments and the exit code on, from any folder and through a link', async () => {
    pretendToBeSetUp();
    symlinkSync(join(checkout, 'scripts/culvert'), join(folder, 'culvert'));
    const result = await tryRun(['bash', '-c', 'cd / && exec "$0" "$@"', join(folder, 'culvert'), 'a b', '--x', '']);
    expect(result).toEqual({ code: 2, stdout: '["a b","--x",""]\n', stderr: '' });
  });

  it('is refused by the set-up with a group that does not exist', async () => {
    const result = await tryRun([join(checkout, 'scripts/setup'), 'everything']);
    expect(result.code).toBe(1);
    expect(result.stderr).toBe("setup: unknown group 'everything'. Use run, demo or test.\n");
  });
});
