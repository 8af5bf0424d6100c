/** `culvert show WHAT`. */
import { AccountClient } from '../api/account-client.ts';
import { ControlClient } from '../api/client.ts';
import { ConfigurationClient } from '../api/configuration-client.ts';
import type { RouterStatus } from '../api/router-control.ts';
import { auditText } from './account-text.ts';
import { boardText } from './board-text.ts';
import { type Context, UsageError } from './command.ts';
import { didYouMean } from './did-you-mean.ts';
import { dslBlocks } from './dsl-text.ts';
import { historyText } from './history-text.ts';
import { keysText } from './ipsec-keys-text.ts';
import { ipsecText } from './ipsec-text.ts';
import { limitsText } from './limits-text.ts';
import { logText } from './log-text.ts';
import { modemsText } from './modems-text.ts';
import { stateDirOf } from './options.ts';
import { done } from './output.ts';
import { SHOW_TOPICS, type ShowTopic } from './show-topics.ts';
import { interfacesText, l2tpText, pppText, statusText } from './status-text.ts';
import { totalsText } from './traffic-text.ts';
import { uplinksText } from './uplinks-text.ts';

export async function run(context: Context): Promise<number> {
  const [word = ''] = context.positionals;
  const topic = SHOW_TOPICS.find((known) => known === word);
  if (topic === undefined)
    throw new UsageError(
      `there is no "${word}" to show: choose one of ${SHOW_TOPICS.join(', ')}${didYouMean(word, SHOW_TOPICS)}`,
    );
  const { keys } = context.options;
  if (keys !== undefined) {
    if (topic !== 'ipsec') throw new UsageError(`"show ${topic}" has no keys: write "culvert show ipsec --keys"`);
    await showKeys(context, keys === '' ? undefined : keys, new ControlClient(stateDirOf(context.options)));
    return done;
  }
  await showTopic(context, topic, new ControlClient(stateDirOf(context.options)));
  return done;
}

async function showTopic(context: Context, topic: ShowTopic, client: ControlClient): Promise<void> {
  const json = context.options.json === true;
  if (topic === 'log') {
    for (const line of await client.log()) context.out(json ? line : logText(line));
  } else if (topic === 'config') {
    context.out(asJson(await new ConfigurationClient(stateDirOf(context.options)).running()));
  } else if (topic === 'certificates') {
    const { certificatesText, configuredCertificates } = await import('./certificate-show.ts');
    const running = await new ConfigurationClient(stateDirOf(context.options)).running();
    const found = configuredCertificates(running, Date.now());
    context.out(json ? asJson(found) : certificatesText(found).join('\n'));
  } else if (topic === 'limits') {
    const limits = await client.limits();
    context.out(json ? asJson(limits) : limitsText(limits).join('\n'));
  } else if (topic === 'leds') {
    const board = await client.board();
    context.out(json ? asJson(board) : boardText(board).join('\n'));
  } else if (topic === 'traffic') {
    const totals = await client.traffic();
    context.out(json ? asJson(totals) : totalsText(totals).join('\n'));
  } else if (topic === 'audit') {
    const entries = await new AccountClient(stateDirOf(context.options)).audit();
    context.out(json ? asJson(entries) : auditText(entries).join('\n'));
  } else if (topic === 'history') {
    const history = await new ConfigurationClient(stateDirOf(context.options)).history();
    context.out(json ? asJson(history) : historyText(history).join('\n'));
  } else {
    const view = VIEWS[topic];
    const status = await client.status();
    context.out(json ? asJson(view.data(status)) : view.text(status).join('\n'));
  }
}

const KEYS_WARNING =
  'whoever has these keys reads what these connections carry: keep them to yourself, and delete them after use';

async function showKeys(context: Context, name: string | undefined, client: ControlClient): Promise<void> {
  const keys = await client.ipsecKeys(name);
  context.complain(keys.length === 0 ? 'no IPsec connection has keys at the moment: it has to be up' : KEYS_WARNING);
  context.out(context.options.json === true ? asJson(keys) : keysText(keys).join('\n'));
}

interface View {
  /** What `--json` prints. */
  readonly data: (status: RouterStatus) => unknown;
  readonly text: (status: RouterStatus) => readonly string[];
}

const VIEWS: {
  readonly [Topic in Exclude<
    ShowTopic,
    'history' | 'audit' | 'log' | 'config' | 'certificates' | 'traffic' | 'limits' | 'leds'
  >]: View;
} = {
  status: { data: (status) => status, text: statusText },
  interfaces: { data: (status) => status.interfaces, text: ({ interfaces }) => interfacesText(interfaces) },
  uplinks: { data: (status) => status.uplinks, text: uplinksAndLines },
  l2tp: { data: (status) => status.l2tp, text: ({ l2tp }) => l2tpText(l2tp) },
  ppp: { data: (status) => status.ppp, text: ({ ppp }) => pppText(ppp) },
  ipsec: { data: (status) => status.ipsec, text: ({ ipsec }) => ipsecText(ipsec) },
  modems: { data: (status) => status.modems, text: ({ modems }) => modemsText(modems) },
};

/** The DSL lines of interfaces that uplinks are built on stand below. */
function uplinksAndLines({ uplinks, interfaces }: RouterStatus): readonly string[] {
  const parents = new Set(uplinks.map(({ parent }) => parent));
  return [...uplinksText(uplinks), ...dslBlocks(interfaces.filter(({ name }) => parents.has(name)))];
}

function asJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
