/** The scenario `failover`: the DSL line dies twice, by its cable and in silence; the VPN moves to LTE and back, under a steady ping. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { RouterStatus } from '../../firmware/api/router-control.ts';
import { addresses, type BranchNetwork } from '../lab/branch-network.ts';
import type { LabCulvert } from '../lab/culvert.ts';
import { endingWithUs } from '../lab/daemon.ts';
import type { LineCut, Provider } from '../lab/provider.ts';
import { waitFor } from '../lab/wait.ts';

/** Between two pings, ms. */
const INTERVAL_MS = 20;
/** So many answers in a row, and the line is taken to be whole again. */
const STEADY = 25;
/** How long anything may take, ms; what it takes is printed. */
const PATIENCE_MS = 90_000;

/** What a steady ping saw of one move. */
export interface Move {
  /** Between the last answer before and the first one after, less the interval, ms. */
  readonly gapMs: number;
  readonly lost: number;
  readonly sent: number;
}

const CUTS: readonly { readonly how: LineCut; readonly words: string }[] = [
  { how: 'cable', words: 'the cable of the DSL line is pulled' },
  { how: 'silence', words: 'the DSL line falls silent, its Ethernet stays up' },
];

/** @returns a line for people for each move. */
export async function failover(
  branch: LabCulvert,
  network: BranchNetwork,
  provider: Provider,
  say: (line: string) => void,
): Promise<string[]> {
  const pings = new Pings(network);
  const table: string[] = [];
  try {
    await pings.steady();
    for (const { how, words } of CUTS) {
      say(`\n${words}`);
      const there = await pings.during(async () => {
        await provider.cut(how);
        await carriedBy(branch, 'lte');
      });
      table.push(formatMove(`${words}: to LTE`, there));
      say('\nthe DSL line is mended');
      const back = await pings.during(async () => {
        await provider.mend();
        await carriedBy(branch, 'dsl');
      });
      table.push(formatMove('back to DSL', back));
    }
  } finally {
    await pings.stop();
  }
  return table;
}

/** Waits until that uplink has the traffic, and the VPN goes by it. */
async function carriedBy(branch: LabCulvert, uplink: string): Promise<void> {
  await waitFor(
    `the VPN to go by ${uplink}`,
    async () => {
      const status = await branch.status();
      return carrying(status) === uplink && status.l2tp[0]?.state === 'up';
    },
    { timeoutMs: PATIENCE_MS },
  );
}

export function carrying(status: RouterStatus): string | undefined {
  return status.uplinks.find((uplink) => uplink.carrying)?.name;
}

function formatMove(words: string, { gapMs, lost, sent }: Move): string {
  return `${words.padEnd(62)} ${`${gapMs} ms`.padStart(8)} gap, ${`${lost}`.padStart(3)} of ${sent} pings lost`;
}

/** Pings from the branch's LAN to head office's, with the moment of each answer. */
class Pings {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #rest = '';
  /** Sequence number and moment, ms, of each answer, as they came. */
  readonly #answers: { readonly number: number; readonly at: number }[] = [];

  constructor({ branchHost }: BranchNetwork) {
    const interval = `${INTERVAL_MS / 1000}`;
    const command = branchHost.command('ping', '-n', '-D', '-i', interval, addresses.officeHost);
    const [program, ...args] = endingWithUs(...command);
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#read(text));
    this.#closed = once(this.#child, 'close');
  }

  /** Resolves when answers come without a gap. */
  async steady(): Promise<void> {
    const from = this.#answers.length;
    const whole = () => {
      const last = this.#answers.slice(from).slice(-STEADY);
      const [first] = last;
      return last.length === STEADY && first !== undefined && (last.at(-1)?.number ?? 0) - first.number === STEADY - 1;
    };
    await waitFor('answers without a gap', whole, { timeoutMs: PATIENCE_MS });
  }

  async during(task: () => Promise<void>): Promise<Move> {
    const from = this.#answers.length - 1;
    await task();
    await this.steady();
    const seen = this.#answers.slice(from);
    const numbers = new Set(seen.map(({ number }) => number));
    const sent = Math.max(...numbers) - Math.min(...numbers) + 1;
    const gaps = seen.slice(1).map(({ at }, index) => at - (seen[index]?.at ?? at));
    return { gapMs: Math.max(0, Math.round(Math.max(...gaps)) - INTERVAL_MS), lost: sent - numbers.size, sent };
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGINT');
    await this.#closed;
  }

  #read(text: string): void {
    const lines = `${this.#rest}${text}`.split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, seconds, number] = /^\[([\d.]+)\].*icmp_seq=(\d+) ttl/.exec(line) ?? [];
      if (number !== undefined) this.#answers.push({ number: Number(number), at: Number(seconds) * 1000 });
    }
  }
}
