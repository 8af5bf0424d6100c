import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../firmware/log/logger.ts';
import { ConnectionLog } from '../../../firmware/router/connection-log.ts';
import { SimulatedClock } from '../../../hal/simulated/clock.ts';

class Bench {
  readonly clock = new SimulatedClock();
  readonly lines: { connection: string; level: string; msg: string }[] = [];
  readonly log = new ConnectionLog(
    createLogger({ secrets: () => [], destination: { write: (line) => this.lines.push(JSON.parse(line)) } }),
    'hq',
    this.clock,
  );

  attempt(reason: string): void {
    this.log.state('connecting');
    this.log.step({ step: 'resolve', detail: 'office.example' });
    this.log.step({ step: 'SCCRQ', direction: 'sent' });
    this.clock.advance(10_000);
    this.log.state('failed', { step: 'SCCRQ', reason, remedy: 'check the server' });
  }

  get text(): string[] {
    return this.lines.map(({ msg }) => msg);
  }
}

describe('the log of a connection', () => {
  it('names it in every line', () => {
    const bench = new Bench();
    bench.attempt('no answer');
    bench.log.state('up');
    expect(bench.lines.map(({ connection }) => connection)).toEqual(bench.lines.map(() => 'hq'));
    expect(bench.text).toContain('sent SCCRQ');
  });

  it('is not filled by the keepalives of a quiet tunnel', () => {
    const bench = new Bench();
    for (let count = 0; count < 100; count += 1) bench.log.step({ step: 'HELLO', direction: 'sent' });
    bench.log.step({ step: 'Informational', detail: 'R-U-THERE-ACK', direction: 'sent' });
    bench.log.step({ step: 'INFORMATIONAL request', direction: 'sent' });
    expect(bench.lines).toEqual([]);
    bench.log.step({ step: 'Informational', detail: 'DELETE of a child SA', direction: 'received' });
    bench.log.step({ step: 'INFORMATIONAL request', detail: 'D', direction: 'received' });
    expect(bench.text).toEqual(['received Informational: DELETE of a child SA', 'received INFORMATIONAL request: D']);
  });

  it('does not fill up with a failure that is repeated for a day, and still says now and then that it goes on', () => {
    const bench = new Bench();
    for (let count = 0; count < 8_640; count += 1) bench.attempt(`no answer from port ${40_000 + count}`);
    expect(bench.lines.length).toBeLessThan(200);
    expect(bench.lines.length).toBeGreaterThan(100);
    expect(bench.text.at(-1)).toMatch(/^still fails after \d+ attempts: SCCRQ: no answer/);
  });

  it('tells the steps of the attempt that ends otherwise', () => {
    const bench = new Bench();
    for (let count = 0; count < 5; count += 1) bench.attempt('no answer');
    bench.lines.length = 0;
    bench.attempt('refused');
    expect(bench.text).toEqual([
      'connecting',
      'resolve: office.example',
      'sent SCCRQ',
      'failed: SCCRQ: refused; check the server',
    ]);
    bench.lines.length = 0;
    bench.log.state('connecting');
    bench.log.step({ step: 'SCCRP', direction: 'received' });
    bench.log.state('up');
    expect(bench.text).toEqual(['connecting', 'received SCCRP', 'up']);
  });

  it('leaves lines out when strangers make thousands a second, and says how many', () => {
    const bench = new Bench();
    for (let count = 0; count < 5_000; count += 1) bench.log.step({ step: 'SCCRQ', direction: 'received' });
    expect(bench.lines.length).toBeLessThanOrEqual(300);
    bench.clock.advance(1_000);
    bench.log.step({ step: 'SCCRQ', direction: 'received' });
    expect(bench.text.at(-2)).toMatch(/^4700 lines were left out/);
  });
});
