import { describe, expect, it } from 'vitest';
import { countTests } from './closing-line.ts';

const file = (status: string, ...tests: readonly string[]) => ({
  status,
  assertionResults: tests.map((each) => ({ status: each })),
});

describe('the closing line of a test run', () => {
  it('counts passed, failed and skipped tests, and "todo" among the skipped', () => {
    const report = { testResults: [file('passed', 'passed', 'pending', 'todo'), file('failed', 'failed', 'passed')] };
    expect(countTests(report, 1, 0)).toEqual({ passed: 2, failed: 1, skipped: 2 });
  });

  it('counts a file that could not be loaded as a failure', () => {
    expect(countTests({ testResults: [file('failed')] }, 1, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it('counts a run that failed without a failed test as a failure', () => {
    expect(countTests({ testResults: [file('passed', 'passed')] }, 1, 0).failed).toBe(1);
    expect(countTests(undefined, 0, 0).failed).toBe(1);
  });

  it('counts a failed type check or lint as a failure', () => {
    expect(countTests({ testResults: [file('passed', 'passed')] }, 0, 2)).toEqual({ passed: 1, failed: 2, skipped: 0 });
  });
});
