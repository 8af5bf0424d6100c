import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { replaceLine } from '../../../firmware/cli/output.ts';
import { ProgressBar } from '../../../firmware/cli/progress-bar.ts';

const MEBIBYTE = 1_048_576;

describe('a progress bar', () => {
  it('shows how much is done, once for each mebibyte, and is taken away at the end', () => {
    const shown: string[] = [];
    const bar = new ProgressBar(4 * MEBIBYTE, (text) => shown.push(text));
    for (let chunk = 0; chunk < 8; chunk += 1) bar.advance(MEBIBYTE / 2);
    bar.remove();
    expect(shown).toHaveLength(5);
    expect(shown[1]).toBe(`[${'#'.repeat(20)}${'.'.repeat(20)}] 50 %, 2 MiB`);
    expect(shown.at(-1)).toBe('');
  });

  it('shows nothing for what is done at once, and only the amount where the whole is not known', () => {
    const shown: string[] = [];
    const short = new ProgressBar(1000, (text) => shown.push(text));
    short.advance(1000);
    short.remove();
    expect(shown).toEqual([]);
    new ProgressBar(0, (text) => shown.push(text)).advance(3 * MEBIBYTE);
    expect(shown).toEqual(['3 MiB']);
  });

  it('writes over its line, and nothing in it can move the cursor elsewhere', () => {
    const terminal = new PassThrough({ encoding: 'utf8' });
    replaceLine(terminal, 'half\u001b[2J');
    expect(terminal.read()).toBe('\r\u001b[Khalf\\u001b[2J');
  });
});
