import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { countTests, failedTests } from './closing-line.ts';

/** As vitest writes it. */
const WHY = `\u001b[31mError: too late\u001b[39m\n\n${'    at somewhere\n'.repeat(40)}`;

const file = (status: string, ...tests: readonly string[]) => ({
  name: resolve('test/some.test.ts'),
  status,
  message: tests.length === 0 ? 'cannot be loaded' : '',
  assertionResults: tests.map((each, at) => ({ status: each, fullName: `case ${at}`, failureMessages: [WHY] })),
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

describe('what is said of failures', () => {
  it('names the file, the test and why, without colours and without the length of a stack', () => {
    const [first, second, ...none] = failedTests({ testResults: [file('failed', 'passed', 'failed'), file('failed')] });
    expect(none).toEqual([]);
    expect(first?.split('\n').slice(0, 2)).toEqual(['failed: test/some.test.ts > case 1', '    Error: too late']);
    expect(first?.split('\n').length).toBeLessThan(20);
    expect(second).toBe('failed: test/some.test.ts\n    cannot be loaded');
  });

  it('has an end', () => {
    const many = Array.from({ length: 100 }, () => 'failed');
    expect(failedTests({ testResults: [file('failed', ...many)] }).at(-1)).toBe('and 80 more');
    expect(failedTests({ testResults: [file('passed', 'passed')] })).toEqual([]);
  });
});
