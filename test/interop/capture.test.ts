import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { DecodedMessage } from '../../firmware/diagnosis/decode/decoded.ts';
import { addresses } from '../../scripts/lab/branch-network.ts';
import { CHECKOUT, type LabCulvert } from '../../scripts/lab/culvert.ts';
import { endingWithUs } from '../../scripts/lab/daemon.ts';
import { run } from '../../scripts/lab/shell.ts';
import { createStateFolder, type StateFolder } from '../../scripts/lab/state-folder.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { culvert } from '../firmware/cli/culvert.ts';
import { answering, dialling, pingSteadily } from './ipsec-support.ts';
import { SitePair } from './site-pair.ts';

/** `culvert capture` as somebody runs it who ends it with Ctrl-C. */
class RunningCapture {
  readonly file: string;
  readonly #child: ChildProcess;
  #said = '';

  constructor(router: LabCulvert, file: string, ...words: string[]) {
    this.file = file;
    const main = join(CHECKOUT, 'firmware/cli/main.ts');
    const command = [process.execPath, main, 'capture', ...words, '--file', file, '--state-dir', router.stateDir];
    const [program, ...args] = endingWithUs(command[0] ?? '', ...command.slice(1));
    this.#child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
  }

  async running(): Promise<this> {
    await waitFor('the beginning of a capture', () => this.#said.includes('sees the traffic'), { timeoutMs: 20_000 });
    return this;
  }

  /** @returns what it said. */
  async end(): Promise<string> {
    this.#child.kill('SIGINT');
    const [code] = await once(this.#child, 'close');
    expect(code, this.#said).toBe(0);
    return this.#said;
  }
}

async function decoded(file: string): Promise<readonly DecodedMessage[]> {
  const { code, stdout, stderr } = await culvert(['decode', file, '--all', '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): DecodedMessage => JSON.parse(line));
}

/** What tshark sees, a packet in each row. */
async function witnessed(
  file: string,
): Promise<readonly (readonly [protocols: string, way: string, device: string])[]> {
  const fields = ['frame.protocols', 'frame.packet_flags_direction', 'frame.interface_name'];
  const words = fields.flatMap((field) => ['-e', field]);
  const stdout = await run(['tshark', '-n', '-r', file, '-T', 'fields', ...words]);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t') as unknown as readonly [string, string, string]);
}

/** As tshark writes the flag. */
const IN = expect.stringMatching(/^(0x)?0*1$/);
const OUT = expect.stringMatching(/^(0x)?0*2$/);

let pair: SitePair | undefined;
let folder: StateFolder | undefined;
afterEach(async () => {
  await pair?.remove();
  folder?.remove();
  [pair, folder] = [undefined, undefined];
});

describe('a tunnel between two Culverts under pings', () => {
  for (const version of [1, 2] as const) {
    it(`shows ICMP inside and nothing but IKE and ESP outside, by IKEv${version}`, async () => {
      folder = createStateFolder('capture');
      const at = (name: string) => join(folder?.path ?? '', `${name}.pcapng`);
      pair = await SitePair.buildWith({
        client: { ipsec: 'hq', start: 'manual' },
        server: { ipsec: 'branches' },
        branchIpsec: dialling(version),
        officeIpsec: answering(version),
      });
      const { branch, office, network } = pair;
      await office.start();
      await branch.start();

      // There is no inside yet, and that is said.
      const early = await branch.culvert('capture', 'hq', '--file', at('early'));
      expect(early).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/l2tp-hq .*: bring hq up, or .*--outside/),
      });

      const around = await new RunningCapture(branch, at('outside'), 'hq', '--outside').running();
      const atOffice = await new RunningCapture(office, at('office'), 'office', '--outside').running();
      expect(await branch.client.connect('hq')).toEqual({ ok: true });
      await pair.pingThrough();
      const within = await new RunningCapture(branch, at('inside'), 'hq').running();
      // Something beside the tunnel that does not belong into the capture.
      const beside = pingSteadily(network.branch, addresses.officeWan);
      const pings = pingSteadily(network.branchHost, addresses.officeHost);
      await pings.more(20);
      await beside.more(5);
      await beside.stop();
      await pings.stop();
      const said = await Promise.all([within.end(), around.end(), atOffice.end()]);
      for (const words of said) expect(words).toMatch(/has ended, it was stopped: \d+ packets\n$/);

      const inside = await decoded(at('inside'));
      expect(inside.filter(({ summary }) => /ICMP/i.test(summary)).length).toBeGreaterThanOrEqual(40);
      expect(inside.filter(({ protocol }) => protocol !== 'ip')).toEqual([]);
      const rows = await witnessed(at('inside'));
      const icmp = rows.filter(([protocols]) => protocols.startsWith('raw:ip:icmp'));
      expect(icmp.length).toBeGreaterThanOrEqual(40);
      expect(rows.filter(([protocols]) => /esp|isakmp|l2tp|udpencap/.test(protocols))).toEqual([]);
      expect(icmp.slice(0, 2)).toEqual([
        [expect.anything(), OUT, 'l2tp-hq'],
        [expect.anything(), IN, 'l2tp-hq'],
      ]);

      for (const name of ['outside', 'office']) {
        const messages = await decoded(at(name));
        expect(messages.filter(({ error }) => error !== undefined)).toEqual([]);
        const kinds = new Set(messages.map(({ protocol }) => protocol));
        expect([...kinds].sort()).toEqual(['esp', `ikev${version}`]);
        expect(messages.filter(({ protocol }) => protocol === 'esp').length).toBeGreaterThanOrEqual(40);
        const seen = await witnessed(at(name));
        expect(seen.length).toBe(messages.length);
        expect(seen.filter(([protocols]) => !/isakmp|esp/.test(protocols))).toEqual([]);
        expect(new Set(seen.map(([, , device]) => device))).toEqual(new Set(['eth0']));
      }
    });
  }
});
