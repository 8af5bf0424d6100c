/** `culvert user ACTION`: who may log in, who is logged in, and API tokens. Users themselves are set in the configuration. */
import { AccountClient } from '../api/account-client.ts';
import type { Role } from '../api/account-control.ts';
import { ConfigurationClient } from '../api/configuration-client.ts';
import { sessionsText, tokensText, type UserInfo, usersText } from './account-text.ts';
import { type Context, UsageError } from './command.ts';
import { showCommand } from './commit-text.ts';
import { didYouMean } from './did-you-mean.ts';
import { stateDirOf } from './options.ts';
import { done } from './output.ts';

/** Days that a token holds where nobody says how many, and at most. */
const DAYS = { default: 90, most: 366 } as const;
const ROLE_WORDS: readonly Role[] = ['viewer', 'operator', 'admin'];

interface Action {
  /** What stands behind it on the command line. */
  readonly parameter?: string;
  readonly run: (context: Context, parameter: string) => Promise<number>;
}

const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ['list', { run: listUsers }],
  ['sessions', { run: listSessions }],
  ['revoke', { parameter: 'ID', run: endSession }],
  ['totp', { parameter: 'USER', run: setUpTotp }],
  ['token create', { parameter: 'USER', run: createToken }],
  ['token list', { run: listTokens }],
  ['token revoke', { parameter: 'ID', run: revokeToken }],
] satisfies readonly (readonly [string, Action])[]);

export async function run(context: Context): Promise<number> {
  const [word = '', second = '', third = ''] = context.positionals;
  const words = word === 'token' ? `token ${second}`.trim() : word;
  const [parameter = '', superfluous = ''] = word === 'token' ? [third] : [second, third];
  const known = [...ACTIONS.keys()];
  const action = ACTIONS.get(words);
  if (action === undefined)
    throw new UsageError(
      `there is no "culvert user ${words}": choose one of ${known.join(', ')}${didYouMean(words, known)}`,
    );
  if (action.parameter !== undefined && parameter === '')
    throw new UsageError(
      `"culvert user ${words}" needs ${action.parameter}: write "culvert user ${words} ${action.parameter}"`,
    );
  const stray = superfluous !== '' ? superfluous : action.parameter === undefined ? parameter : '';
  if (stray !== '') throw new UsageError(`"${stray}" is one argument too many for "culvert user ${words}"`);
  return await action.run(context, parameter);
}

async function listUsers(context: Context): Promise<number> {
  const running = await new ConfigurationClient(stateDirOf(context.options)).running();
  // Client and router are of one version: this is a configuration, or one of a router without users.
  const { users = {} } = (running ?? {}) as { readonly users?: Readonly<Record<string, Record<string, unknown>>> };
  const list = Object.entries(users).map(
    ([name, { role, disabled, totp }]): UserInfo => ({
      ...{ name, role: String(role), disabled: disabled === true, secondFactor: totp !== undefined },
    }),
  );
  return show(context, list, usersText(list));
}

async function listSessions(context: Context): Promise<number> {
  const sessions = await clientOf(context).sessions();
  return show(context, sessions, sessionsText(sessions));
}

async function endSession(context: Context, id: string): Promise<number> {
  const result = await clientOf(context).endSession(idOf(id, 'culvert user sessions'));
  return await showCommand(context, 'the session was not ended', result, async () => ({
    text: `session ${id} is ended`,
    data: { ok: true },
  }));
}

async function setUpTotp(context: Context, user: string): Promise<number> {
  const { terminal } = context;
  if (terminal === undefined)
    throw new UsageError('a code of the app is asked for, and there is no terminal: do it on one, or over the API');
  const client = clientOf(context);
  const { secret, uri } = await client.beginTotp(user);
  context.out(
    `Give this to the authenticator app of ${user}, as it is or as a QR code; whoever has it makes the codes:`,
  );
  context.out(`  ${uri}`);
  context.out(`  secret ${secret}, by time, six digits, SHA-1`);
  const code = (await terminal.ask('The code that it shows now: ')).replaceAll(' ', '');
  if (!/^[0-9]{6}$/.test(code)) throw new UsageError('a code has six digits, and nothing was changed: try again');
  const result = await client.confirmTotp(user, code, context.author);
  return await showCommand(context, 'the second factor was not set up', result, async () => ({
    text: `from now on ${user} needs a code to log in`,
    data: { ok: true },
  }));
}

async function listTokens(context: Context): Promise<number> {
  const tokens = await clientOf(context).tokens();
  return show(context, tokens, tokensText(tokens));
}

async function createToken(context: Context, user: string): Promise<number> {
  const { name, role: word = 'viewer', days: daysText = `${DAYS.default}` } = context.options;
  if (name === undefined)
    throw new UsageError('the token needs a name, for you to know what it is for: give --name NAME');
  const role = ROLE_WORDS.find((known) => known === word);
  if (role === undefined)
    throw new UsageError(
      `there is no role "${word}": choose one of ${ROLE_WORDS.join(', ')}${didYouMean(word, ROLE_WORDS)}`,
    );
  const days = /^[1-9][0-9]{0,2}$/.test(daysText) ? Number(daysText) : 0;
  if (days < 1 || days > DAYS.most) throw new UsageError(`--days is "${daysText}": give 1 to ${DAYS.most}`);
  const made = await clientOf(context).createToken({ user, name, role, days });
  if (context.options.json === true) return show(context, made, []);
  context.complain('whoever has this token is the user: keep it to yourself, it is shown this once');
  context.out(made.token);
  return done;
}

async function revokeToken(context: Context, id: string): Promise<number> {
  const result = await clientOf(context).revokeToken(idOf(id, 'culvert user token list'));
  return await showCommand(context, 'the token was not revoked', result, async () => ({
    text: `token ${id} is revoked`,
    data: { ok: true },
  }));
}

function idOf(text: string, list: string): string {
  if (/^[0-9a-f]{16}$/.test(text)) return text;
  throw new UsageError(`"${text}" is no ID: it has 16 hexadecimal digits, as "${list}" prints it`);
}

function clientOf({ options }: Context): AccountClient {
  return new AccountClient(stateDirOf(options));
}

function show(context: Context, data: unknown, text: readonly string[]): number {
  context.out(context.options.json === true ? JSON.stringify(data, null, 2) : text.join('\n'));
  return done;
}
