import { describe, expect, it } from 'vitest';
import { LabError, run, tryRun } from '../../scripts/lab/shell.ts';
import { waitFor } from '../../scripts/lab/wait.ts';

describe('running a command', () => {
  it('gives the standard output, and passes arguments on as they are', async () => {
    expect(await run(['printf', '%s|', 'a b', '$HOME', '*'])).toBe('a b|$HOME|*|');
  });

  it('hands over standard input and environment variables', async () => {
    const script = 'read -r line; echo "$line $WORD"';
    expect(await run(['bash', '-c', script], { input: 'hello\n', env: { WORD: 'there' } })).toBe('hello there\n');
  });

  it('says which command failed, how, and what it wrote', async () => {
    const failed = run(['bash', '-c', 'echo no such thing >&2; exit 3']);
    await expect(failed).rejects.toThrow(LabError);
    await expect(failed).rejects.toThrow(/exit code 3: no such thing/);
  });

  it('says that a program is not installed', async () => {
    await expect(run(['no-such-program'])).rejects.toThrow('no-such-program is not installed');
  });

  it('kills a command whose time is up, and says so', async () => {
    await expect(run(['sleep', '1000'], { timeoutMs: 50 })).rejects.toThrow('did not finish in time');
  });

  it('gives the exit code of a command that may fail', async () => {
    expect(await tryRun(['bash', '-c', 'echo out; echo err >&2; exit 7'])).toEqual({
      code: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });
});

describe('waiting', () => {
  it('returns what the probe finds', async () => {
    let looks = 0;
    const found = await waitFor('the third look', () => (++looks === 3 ? 'here' : undefined), { intervalMs: 1 });
    expect([found, looks]).toEqual(['here', 3]);
  });

  it('names what did not happen when the time is up', async () => {
    const never = waitFor('the impossible', () => false, { timeoutMs: 20, intervalMs: 1 });
    await expect(never).rejects.toThrow('the impossible did not happen within 0.06 s');
  });
});
