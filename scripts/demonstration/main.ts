/** The demo: builds a branch, an internet and a head office, dials, shows what happens, and takes it all down again. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { RouterEvent } from '../../firmware/api/router-control.ts';
import { dslAndLte } from '../../firmware/config/reference/examples.ts';
import { addresses, branchConfiguration, createBranchNetwork } from '../lab/branch-network.ts';
import { startCapture } from '../lab/capture.ts';
import { LabCulvert } from '../lab/culvert.ts';
import { countTraffic } from '../lab/l2tp-in-clear.ts';
import { PROVIDER_TAP, startProvider } from '../lab/provider.ts';
import { LabError, tryRun } from '../lab/shell.ts';
import { createStateFolder } from '../lab/state-folder.ts';
import { waitFor } from '../lab/wait.ts';
import { failover } from './failover.ts';
import { branchIpsec, isOfficeKind, OFFICE_KINDS, type OfficeKind, startOffice } from './office.ts';
import { explainNetwork, formatEvent, formatStatusLine, formatTraffic } from './screen.ts';

const USAGE = `usage: scripts/demo [--lns ${OFFICE_KINDS.join('|')}] [--ike 1|2] [--scenario failover] [--once]`;

interface Arguments {
  readonly lns: OfficeKind;
  readonly ikeVersion: 1 | 2;
  readonly failover: boolean;
  readonly once: boolean;
}

function readArguments(): Arguments | undefined {
  try {
    const { values } = parseArgs({
      options: {
        lns: { type: 'string', default: 'culvert' },
        ike: { type: 'string', default: '2' },
        scenario: { type: 'string' },
        once: { type: 'boolean', default: false },
      },
    });
    const { lns, ike, scenario, once } = values;
    const ikeVersion = ike === '1' ? 1 : ike === '2' ? 2 : undefined;
    const known = scenario === undefined || scenario === 'failover';
    if (isOfficeKind(lns) && ikeVersion && known) return { lns, ikeVersion, failover: scenario !== undefined, once };
    const [option, value] = !known ? ['--scenario', scenario] : ikeVersion ? ['--lns', lns] : ['--ike', ike];
    process.stderr.write(`demo: ${option} does not know ${JSON.stringify(value)}; ${USAGE}\n`);
  } catch (error) {
    process.stderr.write(`demo: ${error instanceof Error ? error.message : error}; ${USAGE}\n`);
  }
  return undefined;
}

/** Whether something crossed the internet in clear that was to be protected. */
let inClear = false;

/** Whether the cursor stands behind the status line, which is to be overwritten. */
let statusShown = false;

function say(line: string): void {
  process.stdout.write(statusShown ? `\r\x1b[K${line}\n` : `${line}\n`);
  statusShown = false;
}

function showStatus(line: string): void {
  process.stdout.write(`\r\x1b[K${line}`);
  statusShown = true;
}

/** Pings the office host from the branch host until it answers. @returns the round-trip time, ms. */
async function ping(from: readonly string[]): Promise<string | undefined> {
  const [program = 'ping', ...args] = from;
  const result = await tryRun([program, ...args], { timeoutMs: 5_000 });
  return /time=([\d.]+) ms/.exec(result.stdout)?.[1];
}

async function main({ lns, ikeVersion, failover: moves, once }: Arguments): Promise<number> {
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
  const network = await createBranchNetwork(lns === 'xl2tpd' ? 'guest' : 'namespace');
  say(explainNetwork(lns));
  const folder = createStateFolder('capture');
  const file = join(folder.path, 'internet.pcap');
  say('starting the provider of the DSL line and of the cellular network ...');
  const provider = await startProvider(network);
  const capture = await startCapture({ namespace: network.internet, device: PROVIDER_TAP, file });
  say(`starting ${lns} at head office ...`);
  // Made up for this run: there is no secret that everybody knows.
  const protection = { ikeVersion, psk: randomBytes(24).toString('base64url') };
  const office = await startOffice(lns, network, protection);
  const branch = new LabCulvert({
    name: 'branch',
    namespace: network.branch,
    configuration: {
      ...branchConfiguration({ ...office.client, start: 'manual' }, { dialled: true }),
      ...dslAndLte(provider.modemDevice),
      ...(office.protected ? { ipsec: branchIpsec(protection) } : {}),
    },
  });
  try {
    const started = Date.now();
    await branch.start();
    say('the branch router runs; it dials the provider, by both ways:\n');
    await branch.client.events((event: RouterEvent) => {
      const line = formatEvent(event, started);
      if (line) say(line);
    }, interrupted.signal);
    const bothUp = async () => (await branch.status()).uplinks.filter(({ state }) => state === 'up').length === 2;
    await waitFor('both uplinks', bothUp, { timeoutMs: 60_000 });
    for (const topic of ['uplinks', 'modems']) say(`\n${(await branch.culvert('show', topic)).stdout}`);
    say('it dials head office:\n');
    const result = await branch.client.connect('hq', interrupted.signal);
    if (!result.ok) {
      process.stderr.write(`demo: the uplink did not come up: ${result.reason}; ${result.remedy ?? ''}\n`);
      return 1;
    }
    const command = network.branchHost.command('ping', '-n', '-c', '1', '-W', '1', addresses.officeHost);
    const answered = await waitFor('an answer to the ping', () => ping(command), { timeoutMs: 15_000 });
    say(
      `\nping from the branch's LAN (${addresses.branchHost}) to head office's (${addresses.officeHost}): ${answered} ms`,
    );
    if (moves) {
      const table = await failover(branch, network, provider, say);
      say(`\n${table.join('\n')}`);
    }
    while (!once && !interrupted.signal.aborted) {
      const [status, time] = await Promise.all([branch.status(), ping(command)]);
      showStatus(formatStatusLine(status, time));
      await delay(1_000, undefined, { signal: interrupted.signal }).catch(() => undefined);
    }
    return 0;
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    process.stderr.write(`demo: ${error instanceof LabError || error instanceof Error ? error.message : error}\n`);
    return 1;
  } finally {
    say('');
    say('cleaning up ...');
    interrupted.abort();
    await branch.remove();
    await office.stop();
    await capture.stop();
    await provider.stop();
    const traffic = countTraffic(file);
    say(formatTraffic(traffic));
    // Whatever else the outcome is: a datagram in clear that was to be protected is a failure.
    inClear = office.protected && traffic.clearL2tp > 0;
    folder.remove();
    network.delete();
  }
}

const options = readArguments();
const outcome = options
  ? await main(options).catch((error: unknown) => {
      process.stderr.write(`demo: ${error instanceof Error ? error.message : error}\n`);
      return 1;
    })
  : 2;
process.exitCode = inClear ? 1 : outcome;
process.exit();
