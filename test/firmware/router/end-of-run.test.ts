import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../firmware/log/logger.ts';
import { EndOfRun } from '../../../firmware/router/end-of-run.ts';

function bench(): { process: EventEmitter; lines: string[]; end: EndOfRun } {
  const process = new EventEmitter();
  const lines: string[] = [];
  const logger = createLogger({ secrets: () => [], destination: { write: (line) => lines.push(line) } });
  const end = new EndOfRun(process, logger);
  end.listen();
  return { process, lines, end };
}

describe('the end of a run', () => {
  it('is asked for by SIGTERM, and a second signal changes nothing', async () => {
    const { process, lines, end } = bench();
    expect(end.requested).toBe(false);
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGTERM', 'SIGTERM');
    process.emit('SIGINT', 'SIGINT');
    expect(await end.promise).toBe(0);
    expect(lines).toHaveLength(3);
    expect(lines[1]).toContain('ending already');
  });

  it.each(['uncaughtException', 'unhandledRejection'])(
    'is forced by %s, with one line that says why',
    async (event) => {
      const { process, lines, end } = bench();
      process.emit(event, new RangeError('there is no socket 7'));
      expect(await end.promise).toBe(1);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toContain('there is no socket 7');
      expect(lines[0]).toContain('"level":"fatal"');
    },
  );

  it('keeps the exit code of what came first', async () => {
    const { process, end } = bench();
    end.fail('the data plane has failed: its thread ended');
    process.emit('SIGTERM', 'SIGTERM');
    expect(await end.promise).toBe(1);
  });
});
