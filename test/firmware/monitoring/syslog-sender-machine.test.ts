import { describe, expect, it } from 'vitest';
import type { QueueEntry } from '../../../firmware/monitoring/line-queue.ts';
import { SyslogSenderMachine, type SyslogSenderOutput } from '../../../firmware/monitoring/syslog-sender-machine.ts';
import { SeededRandom } from '../../support/seeded-random.ts';

const FAILURE = { step: 'connect', reason: 'nothing listens there', remedy: 'start it', cause: 'silence' } as const;

/** A machine with its time, and what it has asked for. */
class Bench {
  now = 1_000;
  readonly machine: SyslogSenderMachine;
  readonly outputs: SyslogSenderOutput[] = [];

  constructor(kind: 'datagram' | 'stream', ...lines: string[]) {
    const entries = lines.map((line): QueueEntry => ({ kind: 'line', line }));
    const format = {
      line: (line: string) => Buffer.from(line),
      lost: (count: number, next: string | undefined) => Buffer.from(`lost ${count} before ${next}`),
    };
    this.machine = new SyslogSenderMachine({ kind, format, random: new SeededRandom(7), entries, now: this.now });
    this.advance(0);
  }

  take(): void {
    for (let output = this.machine.poll(); output; output = this.machine.poll()) this.outputs.push(output);
  }

  /** Time goes on, with a tick at each deadline. */
  advance(milliseconds: number): void {
    const until = this.now + milliseconds;
    for (;;) {
      const deadline = this.machine.nextDeadline();
      if (deadline === undefined || deadline > until) break;
      this.now = Math.max(this.now, deadline);
      this.machine.tick(this.now);
      this.take();
    }
    this.now = until;
  }

  do(input: (machine: SyslogSenderMachine, now: number) => void): void {
    input(this.machine, this.now);
    this.take();
  }

  push(...lines: string[]): void {
    for (const line of lines) this.do((machine, now) => machine.push(now, line));
  }

  /** The connection that was asked for last. */
  get connection(): number {
    return this.outputs.findLast((output) => output.kind === 'connect')?.connection ?? 0;
  }

  connected(): void {
    this.do((machine, now) => machine.connected(now, this.connection));
  }

  written(count = 1): void {
    for (; count > 0; count -= 1) this.do((machine, now) => machine.written(now, this.connection));
  }

  failed(): void {
    this.do((machine, now) => machine.failed(now, this.connection, FAILURE));
  }

  get kinds(): string[] {
    return this.outputs.map(({ kind }) => kind);
  }

  /** What was handed out, on the connection it was for. */
  get sent(): string[] {
    return this.outputs.flatMap((output) => (output.kind === 'send' ? [Buffer.from(output.message).toString()] : []));
  }

  /** Connected, and beyond its trial. */
  established(): this {
    this.connected();
    if (this.sent.length > 0 && this.machine.queued > 0) this.written();
    this.advance(1_000);
    return this;
  }
}

describe('a sender of log lines by a stream', () => {
  it('connects at once, tries the way with one line, then sends the rest in order', () => {
    const bench = new Bench('stream', 'a', 'b', 'c');
    expect(bench.kinds).toEqual(['connect']);
    bench.connected();
    expect(bench.sent).toEqual(['a']);
    bench.written();
    bench.advance(999);
    expect(bench.sent).toEqual(['a']);
    bench.advance(1);
    expect(bench.kinds).toContain('up');
    expect(bench.sent).toEqual(['a', 'b', 'c']);
    bench.written(2);
    bench.push('d');
    expect(bench.sent).toEqual(['a', 'b', 'c', 'd']);
    expect(bench.machine.sent).toBe(3);
    bench.written();
    expect([bench.machine.sent, bench.machine.queued]).toEqual([4, 0]);
    expect(bench.machine.nextDeadline()).toBeUndefined();
  });

  it('sends the line of the trial once more when the way was none', () => {
    const bench = new Bench('stream', 'a', 'b');
    bench.connected();
    bench.written();
    bench.failed();
    expect(bench.kinds).toEqual(['connect', 'send', 'down']);
    bench.advance(10_000);
    expect(bench.kinds.slice(3)).toEqual(['connect']);
    bench.established();
    expect(bench.sent).toEqual(['a', 'a', 'b']);
  });

  it('hands out only so many lines that nobody has written', () => {
    const bench = new Bench('stream').established();
    bench.push(...Array.from({ length: 100 }, (_, index) => String(index)));
    expect(bench.sent).toHaveLength(32);
    bench.written(5);
    expect(bench.sent).toHaveLength(37);
  });

  it('sends again what was handed out and not written, and nothing twice that was', () => {
    const bench = new Bench('stream').established();
    bench.push('a', 'b', 'c');
    bench.written();
    bench.failed();
    bench.advance(60_000);
    const before = bench.sent.length;
    bench.established();
    expect(bench.sent.slice(before)).toEqual(['b', 'c']);
  });

  it('does not believe what is said of an earlier connection', () => {
    const bench = new Bench('stream', 'a').established();
    bench.push('b');
    const old = bench.connection;
    bench.failed();
    bench.advance(10_000);
    bench.connected();
    bench.do((machine, now) => machine.written(now, old));
    bench.do((machine, now) => machine.failed(now, old, FAILURE));
    bench.do((machine, now) => machine.connected(now, old));
    expect(bench.machine.queued).toBe(1);
    expect(bench.kinds.filter((kind) => kind === 'down')).toHaveLength(1);
  });

  it('asks less and less often while nothing answers, and never less than every eight seconds', () => {
    const bench = new Bench('stream', 'a');
    const waits: number[] = [];
    for (let attempt = 0; attempt < 12; attempt += 1) {
      const at = bench.now;
      const asked = bench.kinds.filter((kind) => kind === 'connect').length;
      bench.failed();
      while (bench.kinds.filter((kind) => kind === 'connect').length === asked) bench.advance(10);
      waits.push(bench.now - at);
    }
    expect(waits[0]).toBeLessThanOrEqual(510);
    expect(Math.max(...waits)).toBeLessThanOrEqual(8_010);
    expect(waits.slice(6).every((wait) => wait >= 4_000)).toBe(true);
  });

  it('goes on to ask less often when a server takes each connection and ends it at once', () => {
    const bench = new Bench('stream', 'a');
    for (let attempt = 0; attempt < 8; attempt += 1) {
      bench.connected();
      bench.written();
      bench.failed();
      bench.advance(8_000);
    }
    bench.connected();
    bench.failed();
    bench.advance(3_900);
    expect(bench.kinds.at(-1)).toBe('down');
  });

  it('gives up a server that does not answer, and one that takes nothing, and says which', () => {
    const silent = new Bench('stream', 'a');
    silent.advance(20_000);
    expect(silent.outputs.slice(1, 3)).toMatchObject([
      { kind: 'disconnect', connection: 1 },
      { kind: 'down', failure: { step: 'connect', reason: 'it did not answer within 20 s', cause: 'silence' } },
    ]);
    const stalled = new Bench('stream', 'a').established();
    stalled.push('b');
    stalled.advance(59_999);
    expect(stalled.kinds).not.toContain('down');
    stalled.advance(1);
    expect(stalled.outputs.findLast(({ kind }) => kind === 'down')).toMatchObject({
      failure: { step: 'send', reason: 'it took nothing for 60 s' },
    });
    expect(stalled.machine.entries).toEqual([{ kind: 'line', line: 'b' }]);
  });

  it('keeps a bounded number of lines, and tells in their place how many are missing', () => {
    const bench = new Bench('stream');
    bench.failed();
    for (let index = 0; index < 5_000; index += 1) bench.do((machine, now) => machine.push(now, `line ${index}`));
    expect(bench.machine.queued).toBe(2_000);
    expect(bench.machine.dropped).toBe(3_001);
    bench.advance(10_000);
    bench.established();
    bench.written(50);
    expect(bench.sent.slice(0, 2)).toEqual(['lost 3001 before line 3001', 'line 3001']);
    expect(bench.machine.sent).toBeLessThan(51);
  });
});

describe('a sender of log lines by datagrams', () => {
  it('tries the way with one line for as long as a host can be looked for, then sends a few at a time', () => {
    const lines = Array.from({ length: 50 }, (_, index) => String(index));
    const bench = new Bench('datagram', ...lines);
    bench.connected();
    bench.advance(3_499);
    expect(bench.sent).toEqual(['0']);
    bench.advance(1);
    expect(bench.sent).toEqual(lines.slice(0, 21));
    bench.advance(50);
    expect(bench.sent).toEqual(lines.slice(0, 41));
    bench.advance(50);
    expect(bench.sent).toEqual(lines);
    expect([bench.machine.sent, bench.machine.queued]).toEqual([50, 0]);
  });

  it('keeps its lines while the network refuses them', () => {
    const bench = new Bench('datagram', 'a', 'b');
    for (let attempt = 0; attempt < 5; attempt += 1) {
      bench.connected();
      bench.failed();
      bench.advance(8_000);
    }
    expect(new Set(bench.sent)).toEqual(new Set(['a']));
    bench.connected();
    bench.advance(3_500);
    expect(bench.sent.slice(-1)).toEqual(['b']);
  });

  it('is well as long as it had nothing to send', () => {
    const bench = new Bench('datagram');
    expect(bench.machine.up).toBe(false);
    bench.connected();
    expect(bench.machine.up).toBe(true);
    expect(bench.machine.nextDeadline()).toBeUndefined();
    bench.push('a');
    expect(bench.machine.up).toBe(false);
    bench.advance(3_500);
    expect(bench.machine.up).toBe(true);
  });

  it('looks the server up anew every hour, which is no failure', () => {
    const bench = new Bench('datagram', 'a');
    bench.connected();
    bench.advance(3_500 + 3_600_000);
    expect(bench.kinds).toEqual(['connect', 'send', 'up', 'disconnect', 'connect']);
    bench.push('b');
    bench.connected();
    expect(bench.sent).toEqual(['a', 'b']);
  });

  it('does not go on trying when the router ends', () => {
    const bench = new Bench('datagram', 'a', 'b');
    bench.connected();
    bench.do((machine, now) => machine.hurry(now));
    expect(bench.sent).toEqual(['a', 'b']);
    expect(bench.machine.queued).toBe(0);
  });
});
