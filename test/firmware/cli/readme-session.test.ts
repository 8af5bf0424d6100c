import { expect, it } from 'vitest';
import { readmeSession, SECRETS, TYPED } from '../../support/first-boot.ts';

/** What stands behind a prompt. */
const COMMAND = /^(?:culvert|branch-12)[#>] (.+)$/;

const commands = readmeSession().flatMap((row) => COMMAND.exec(row)?.[1] ?? []);

it('the session in the README has the commands that are tried on a real router, and no others', () => {
  expect(TYPED.length).toBeGreaterThan(20);
  expect(commands.filter((command) => !command.endsWith('?'))).toEqual(TYPED);
});

it('the question marks in it stand where a command of it goes on', () => {
  for (const command of commands.filter((one) => one.endsWith('?')))
    expect(
      TYPED.some((typed) => typed.startsWith(command.slice(0, -1))),
      command,
    ).toBe(true);
});

it('fits into the screen, and has no secret in it', () => {
  const rows = readmeSession();
  expect(rows.filter(({ length }) => length > 79)).toEqual([]);
  for (const secret of Object.values(SECRETS)) expect(rows.join('\n')).not.toContain(secret);
});
