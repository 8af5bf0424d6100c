import { describe, expect, it } from 'vitest';
import { type DslChipset, dialectsOf } from '../../../../firmware/protocol/dsl/chipsets.ts';
import { DslConsole, type DslConsoleOptions } from '../../../../firmware/protocol/dsl/console-machine.ts';
import type { DslStatus } from '../../../../firmware/protocol/dsl/dsl-status.ts';
import type { Failure } from '../../../../firmware/protocol/machine.ts';
import { SimulatedDslConsole } from '../../../../scripts/lab/dsl-console.ts';
import { broadcomShowtime, LANTIQ_METRICS, LANTIQ_PIPE, SFP_STATUS } from '../../../../scripts/lab/dsl-texts.ts';

const INTERVAL = 30_000;
const BROADCOM = {
  'xdslctl info --stats': () => broadcomShowtime({ upHours: 1, retrains: 0, reason: '0' }),
};
const LOGIN = { user: 'admin', password: 'dsl pw' };

/** A machine and a modem, and time that goes from one deadline to the next. */
class Bench {
  readonly statuses: DslStatus[] = [];
  readonly failures: Failure[] = [];
  readonly machine: DslConsole;
  readonly modem: SimulatedDslConsole;
  now = 0;
  /** Octets that reach the machine at once. */
  piece = 1000;
  #toMachine: Uint8Array[] = [];

  constructor(
    modem: Partial<ConstructorParameters<typeof SimulatedDslConsole>[0]>,
    options: Partial<DslConsoleOptions> & { readonly chipset?: DslChipset } = {},
  ) {
    this.modem = new SimulatedDslConsole({ commands: {}, ...modem, send: (octets) => this.#toMachine.push(octets) });
    this.machine = new DslConsole({
      dialects: dialectsOf(options.chipset ?? 'auto'),
      intervalMs: INTERVAL,
      ...options,
    });
    this.machine.opened(this.now);
    this.#settle();
  }

  /** Lets this much time go by. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      const deadline = this.machine.nextDeadline();
      if (deadline === undefined || deadline > end) break;
      this.now = deadline;
      this.machine.tick(this.now);
      this.#settle();
    }
    this.now = end;
  }

  /** Until both have said all that they have to say. */
  #settle(): void {
    for (;;) {
      const output = this.machine.poll();
      if (output?.kind === 'send') this.modem.received(output.octets);
      else if (output?.kind === 'status') this.statuses.push(output.status);
      else if (output?.kind === 'failure') this.failures.push(output.failure);
      const octets = Buffer.concat(this.#toMachine.splice(0));
      for (let at = 0; at < octets.length; at += this.piece) {
        this.machine.received(octets.subarray(at, at + this.piece), this.now);
      }
      if (output === undefined && octets.length === 0) return;
    }
  }
}

describe('at the console of a DSL modem', () => {
  it('a prompt is found, and the line looked at again and again', () => {
    const bench = new Bench({ commands: BROADCOM });
    expect(bench.statuses).toHaveLength(1);
    expect(bench.statuses[0]?.down.rateKbps).toBe(31829);
    bench.pass(INTERVAL * 3);
    expect(bench.statuses).toHaveLength(4);
    expect(bench.failures).toEqual([]);
  });

  it('the answer may come octet by octet', () => {
    const bench = new Bench({ commands: {} });
    const slow = new Bench({ commands: BROADCOM });
    slow.piece = 1;
    slow.pass(INTERVAL);
    expect(slow.statuses).toHaveLength(2);
    expect(slow.statuses[1]).toEqual(slow.statuses[0]);
    expect(bench.statuses).toEqual([]);
  });

  it.each([
    [
      'Lantiq by its pipe',
      Object.fromEntries(
        Object.entries(LANTIQ_PIPE).map(([key, text]) => [`dsl_cpe_pipe.sh ${key}`, () => `${text}\n`]),
      ),
      51392,
    ],
    ['OpenWrt', { 'ubus call dsl metrics': () => LANTIQ_METRICS }, 51392],
    ['an SFP module', { 'show status': () => SFP_STATUS }, 49998],
  ])('%s is found by what it answers, and asked nothing else from then on', (_whose, commands, rate) => {
    const bench = new Bench({ commands });
    expect(bench.statuses.map(({ down }) => down.rateKbps)).toEqual([rate]);
    bench.modem.lines.length = 0;
    bench.pass(INTERVAL);
    expect(bench.statuses).toHaveLength(2);
    expect(bench.modem.lines.filter((line) => line !== '')).toEqual(Object.keys(commands));
  });

  it('a login is given where it is wanted', () => {
    const bench = new Bench({ commands: BROADCOM, login: LOGIN }, LOGIN);
    expect(bench.statuses).toHaveLength(1);
    expect(bench.modem.lines).toContain('dsl pw');
  });

  it('a login that is wanted and not configured is told, and not guessed', () => {
    const bench = new Bench({ commands: BROADCOM, login: LOGIN });
    expect(bench.failures.map(({ reason }) => reason)).toEqual(['the console of the modem wants a user']);
    bench.pass(INTERVAL);
    expect(bench.modem.lines.filter((line) => line !== '')).toEqual([]);
  });

  it('a password that is refused is tried seldom, and stands in no word', () => {
    const bench = new Bench({ commands: BROADCOM, login: LOGIN }, { ...LOGIN, password: 'wrong pw' });
    expect(bench.failures[0]?.reason).toContain('refuses the user "admin"');
    bench.pass(3_600_000);
    const tries = bench.modem.lines.filter((line) => line === 'wrong pw').length;
    expect(tries).toBeGreaterThan(1);
    expect(tries).toBeLessThan(6);
    expect(JSON.stringify(bench.failures)).not.toContain('wrong pw');
  });

  it('one that is silent is woken, told of, and found when it speaks', () => {
    const bench = new Bench({ commands: BROADCOM });
    bench.modem.mute = true;
    bench.pass(INTERVAL + 10_000);
    expect(bench.failures.at(-1)?.reason).toBe('the console of the modem says nothing');
    bench.pass(3_600_000);
    expect(bench.failures.length).toBeLessThan(20);
    bench.modem.mute = false;
    bench.pass(400_000);
    expect(bench.statuses.length).toBeGreaterThan(1);
  });

  it('what the kernel prints behind the prompt costs one look at most', () => {
    const bench = new Bench({ commands: BROADCOM });
    bench.modem.after = '\r\n[ 1234.5] eth0: link up\r\n';
    bench.pass(INTERVAL + 30_000);
    expect(bench.statuses).toHaveLength(1);
    bench.modem.after = '';
    bench.pass(400_000);
    expect(bench.statuses.length).toBeGreaterThan(2);
  });

  it('a prompt that comes twice is not the end of an answer', () => {
    const bench = new Bench({ commands: BROADCOM, prompt: '\r\n> \r\n> ' }, { chipset: 'broadcom' });
    bench.piece = 5;
    bench.pass(INTERVAL);
    expect(bench.statuses).toHaveLength(2);
    expect(bench.modem.lines.filter((line) => line !== '')).toEqual(['xdslctl info --stats', 'xdslctl info --stats']);
  });

  it('noise without end is no answer, and no memory', () => {
    const bench = new Bench({
      commands: { ...BROADCOM, 'xdslcmd info --stats': () => '\u00ff\u0000x'.repeat(300_000) },
    });
    bench.modem.say('\u0080\u0000'.repeat(200_000));
    bench.pass(INTERVAL * 2);
    expect(bench.statuses.length).toBeGreaterThan(1);
  });

  it('a modem that is switched off and on in between is logged in to again', () => {
    const bench = new Bench({ commands: BROADCOM, login: LOGIN }, LOGIN);
    bench.modem.restart();
    bench.pass(INTERVAL * 2);
    expect(bench.statuses.length).toBeGreaterThan(1);
    expect(bench.modem.lines.filter((line) => line === 'dsl pw')).toHaveLength(2);
  });

  it('one that knows none of the commands says so, with what to do', () => {
    const bench = new Bench({ commands: {} }, { chipset: 'broadcom' });
    expect(bench.failures[0]?.reason).toBe(
      'the modem does not tell how its line is (its answer has no state of a line); it was asked "xdslctl info --stats", ' +
        '"xdslcmd info --stats", "adsl info --stats"',
    );
    expect(bench.failures[0]?.remedy).toContain('dsl.chipset');
  });

  it('nothing is said on a line that is closed', () => {
    const bench = new Bench({ commands: BROADCOM });
    bench.machine.closed();
    expect(bench.machine.nextDeadline()).toBeUndefined();
    bench.machine.received(Buffer.from('# '), bench.now);
    expect(bench.machine.poll()).toBeUndefined();
  });
});
