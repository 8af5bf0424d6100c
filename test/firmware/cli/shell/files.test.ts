import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { contractDocument } from '../../config/example.ts';
import { Console, ConsoleBench } from './console.ts';

let bench: ConsoleBench;
let console: Console;
beforeEach(async () => {
  bench = await new ConsoleBench().start(JSON.stringify(contractDocument()));
  console = new Console(bench);
  await console.type('configure\r');
});
afterEach(() => bench.end());

const path = (name: string) => join(bench.store.directory, name);

describe('save and load of configuration mode', () => {
  it.each(['json', 'yaml'])('write the draft as %s and read it again, secrets by their stars', async (ending) => {
    const file = path(`draft.${ending}`);
    await console.type('set system hostname branch-99\r');
    await console.type('set l2tp clients hq password new-secret\r');
    expect(await console.said(`save ${file}\r`)).toContain('stars there mean the secrets');
    const text = readFileSync(file, 'utf8');
    expect(text).toContain('branch-99');
    expect(text).not.toMatch(/new-secret|labpsk|alice-pw/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    await console.type('discard\r');
    expect(await console.type('show system\r')).toContain('branch-12');
    expect(await console.said(`load ${file}\r`)).toMatch(/\d+ lines are the draft now/);
    expect(await console.type('show system\r')).toContain('branch-99');
    const committed = await console.type('commit\r');
    expect(committed).toMatch(/hostname/);
    // No secret has changed by that.
    expect(committed.match(/^[~+-] .*/gm)).toHaveLength(1);
  });

  it('replace no file that nobody wants replaced', async () => {
    const file = path('mine.json');
    writeFileSync(file, 'mine');
    expect(await console.said(`save ${file}\r`)).toContain('Type "yes" to replace it:');
    expect(await console.said('no\r')).toContain('stays as it is, since "yes" was not typed');
    await console.type(`save ${file}\r`);
    await console.type('\u0003');
    expect(readFileSync(file, 'utf8')).toBe('mine');
    await console.type(`save ${file}\r`);
    await console.type('yes\r');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ system: { hostname: 'branch-12' } });
  });

  it('say in words what is wrong with a file, and leave the draft alone', async () => {
    expect(await console.said('save draft.txt\r')).toContain('name it NAME.json or NAME.yaml');
    expect(await console.said('save\r')).toContain('"save" takes one file');
    expect(await console.said(`save ${path('no/where.json')}\r`)).toContain('cannot be written');
    expect(await console.said(`load ${path('nothing.json')}\r`)).toContain('cannot be read');
    writeFileSync(path('wrong.json'), '{ "system": { "hostnaem": "x" } }');
    expect(await console.said(`load ${path('wrong.json')}\r`)).toContain('the draft is refused');
    expect(await console.type('show system\r')).toContain('branch-12');
  });

  it('reach no file where somebody has only logged in', async () => {
    const other = new Console(bench, { files: false });
    await other.type('configure\r');
    expect(await other.said('save x.json\r')).toContain('there is no command "save" here');
    expect(await other.said('load x.json\r')).toContain('no files can be had at this console: write "load json"');
  });
});
