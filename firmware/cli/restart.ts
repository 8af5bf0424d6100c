/** `culvert restart`: a connection, all of a kind, or the firmware itself, ended and begun anew. */
import { ControlClient } from '../api/client.ts';
import type { CommandResult, RouterStatus } from '../api/router-control.ts';
import { type Context, UsageError } from './command.ts';
import { connectTelling } from './connect-telling.ts';
import { failureText } from './failure-text.ts';
import { endMachine } from './machine-end.ts';
import { stateDirOf } from './options.ts';
import { done, failed } from './output.ts';
import { looking, runsAgain } from './until-again.ts';

export async function run(context: Context): Promise<number> {
  const [what = ''] = context.positionals;
  const { in: minutes, cancel } = context.options;
  if (what === 'firmware') return await restartFirmware(context);
  if (minutes !== undefined || cancel === true)
    throw new UsageError('--in and --cancel are for "culvert restart firmware": leave them out');
  const client = new ControlClient(stateDirOf(context.options));
  if (what !== 'l2tp' && what !== 'ipsec')
    return await restartOne(context, client, what, () => connectTelling(context, client, what));
  const names = namesOf(await client.status(), what);
  if (names.length === 0) {
    context.complain(
      `no ${what === 'l2tp' ? 'L2TP client' : 'IPsec connection'} is up or coming up: see "culvert show ${what}"`,
    );
    return failed;
  }
  // The steps of several at once would be read by nobody.
  const one = (name: string) => restartOne(context, client, name, () => client.connect(name, context.signal));
  const codes = await Promise.all(names.map(one));
  return codes.find((code) => code !== done) ?? done;
}

/** Those that this router calls; a server waits for others, and the IPsec of L2TP goes with the L2TP. */
function namesOf({ l2tp, ipsec }: RouterStatus, kind: 'l2tp' | 'ipsec'): readonly string[] {
  const meant =
    kind === 'l2tp' ? l2tp.filter(({ role }) => role === 'client') : ipsec.filter(({ mode }) => mode === 'tunnel');
  return [...new Set(meant.filter(({ state }) => state !== 'down').map(({ name }) => name))];
}

async function restartOne(
  { options, out, complain }: Context,
  client: ControlClient,
  name: string,
  connect: () => Promise<CommandResult>,
): Promise<number> {
  const say = (state: 'down' | 'up') => {
    out(options.json === true ? JSON.stringify({ name, state }) : `${name} is ${state}`);
  };
  const fails = (verb: 'connected' | 'disconnected', result: CommandResult & { readonly ok: false }) => {
    complain(failureText(name, verb, result));
    return failed;
  };
  const down = await client.disconnect(name);
  if (!down.ok) return fails('disconnected', down);
  say('down');
  const up = await connect();
  if (!up.ok) return fails('connected', up);
  say('up');
  return done;
}

async function restartFirmware(context: Context): Promise<number> {
  const stateDir = stateDirOf(context.options);
  const before = context.options.cancel === true ? 0 : (await new ControlClient(stateDir).status()).uptimeSeconds;
  const { code, begun } = await endMachine(context, {
    action: 'restart',
    command: 'restart firmware',
    warning:
      'This ends the firmware, for whoever watches over it to start it again; every connection ends and comes back.',
    word: 'restart',
    begun: 'the firmware ends, to be started again',
  });
  if (!begun) return code;
  if (await runsAgain(before, looking(stateDir), context.signal)) {
    if (context.options.json !== true) context.out('it runs again');
    return done;
  }
  context.complain(
    'the firmware has ended, and nobody has started it again within a minute: start it with "culvert run", and see to it ' +
      'that it is started by itself',
  );
  return failed;
}
