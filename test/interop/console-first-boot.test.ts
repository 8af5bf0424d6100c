/** From first boot to an L2TP/IPsec uplink that is up: one session at the serial console, by words that it offers. */
import { chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { simulated } from '../../board/simulated.ts';
import { REDACTED } from '../../firmware/config/redact.ts';
import {
  addresses,
  type BranchNetwork,
  createBranchNetwork,
  officeConfiguration,
} from '../../scripts/lab/branch-network.ts';
import { CHECKOUT, LabCulvert } from '../../scripts/lab/culvert.ts';
import { Pty } from '../../scripts/lab/pty.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { ConsoleTypist, isPrompt } from '../support/console-typist.ts';
import { CONFIGURATION, readmeSession, SECRETS, TYPED, type Typed, UPLINK } from '../support/first-boot.ts';
import { ping } from './site-pair.ts';

/** Of the user that the routers run as. */
const NOBODY = 65_534;
/** When it is set, what the terminal showed is written to `build/console-first-boot.txt`. */
const TRANSCRIPT = 'CULVERT_TRANSCRIPT';

let network: BranchNetwork;
let office: LabCulvert;
let branch: LabCulvert;
let pty: Pty;
let typist: ConsoleTypist;

beforeEach(async () => {
  network = await createBranchNetwork('namespace');
  const branches = { version: 2, remote: 'any', mode: 'transport', psk: SECRETS.psk };
  office = new LabCulvert({
    name: 'office',
    namespace: network.office,
    configuration: officeConfiguration({ ipsec: 'branches' }, { ipsec: { branches } }),
  });
  pty = new Pty();
  chownSync(pty.path, NOBODY, NOBODY);
  typist = new ConsoleTypist(pty);
  branch = new LabCulvert({
    name: 'branch',
    namespace: network.branch,
    configuration: {},
    board: {
      ...simulated,
      factoryLan: { device: 'lan0', address: '192.168.88.1/24' },
      consoleDevice: pty.path,
    },
  });
  await office.start();
  await branch.start({ given: false });
  await waitFor('the console', async () => branch.log().includes(`the console is on ${pty.path}`));
});
afterEach(async () => {
  await branch.remove();
  await office.remove();
  pty.close();
  network.delete();
});

async function logIn(): Promise<void> {
  await typist.press('\r', (row) => row.endsWith('login:'));
  const password = /user admin, password (\S+)/.exec(typist.screen.text)?.[1] ?? '';
  expect(password).not.toBe('');
  await typist.press('admin\r', (row) => row === 'Password:');
  await typist.answer('Password: ', password, (row) => row === 'New password:');
  await typist.answer('New password: ', SECRETS.admin, (row) => row === 'The same once more:');
  await typist.answer('The same once more: ', SECRETS.admin, isPrompt);
}

async function type({ command, question, secret }: Typed, then = isPrompt): Promise<string> {
  if (question === undefined || secret === undefined) return (await typist.command(command, then)).join('\n');
  await typist.command(command, (row) => row === question);
  await typist.answer(question, secret, (row) => row === 'The same once more:');
  await typist.answer('The same once more: ', secret, isPrompt);
  return '';
}

describe('somebody who knows no command, at the console of a new router', () => {
  it('comes from the first login to an uplink that is up, by what a question mark and Tab show', async () => {
    await logIn();
    const shown = new Map<string, string>();
    for (const typed of CONFIGURATION) shown.set(typed.command, await type(typed));
    for (const typed of UPLINK)
      shown.set(typed.command, await type(typed, typed.command === 'exit' ? isOut : isPrompt));
    const transcript = typist.screen.text.replace(/(user admin, password )\S+/, `$1${REDACTED}`);
    if (process.env[TRANSCRIPT] !== undefined) write(transcript);
    expect(typist.commands).toEqual(TYPED);
    expect(shown.get('connect hq')).toContain('hq is up');
    expect([...shown].find(([command]) => command.startsWith('ping'))?.[1]).toMatch(/3 sent, [1-3] answered/);
    await waitFor('an answer from head office', () => ping(network.branchHost, addresses.officeHost));
    for (const secret of Object.values(SECRETS)) {
      expect(typist.screen.text).not.toContain(secret);
      expect(branch.log()).not.toContain(secret);
    }
    // What the README shows is what was seen, but for numbers.
    const seen = new Set(transcript.split('\n').map(withoutNumbers));
    const invented = readmeSession().filter((row) => row !== '...' && !seen.has(withoutNumbers(row)));
    expect(invented).toEqual([]);
  });
});

/** The console waits for the next person. */
function isOut(row: string): boolean {
  return row === '' && typist.screen.text.endsWith('\nPress Enter to log in.\n');
}

function withoutNumbers(row: string): string {
  return row.replaceAll(/\d+/g, '0').replaceAll(/\s+/g, ' ');
}

function write(transcript: string): void {
  const folder = join(CHECKOUT, 'build');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'console-first-boot.txt'), `${transcript}\n`);
}
