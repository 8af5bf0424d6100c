/**
 * Prints the closing line of a test run, `N passed, N failed, N skipped`, from the report of vitest's JSON reporter:
 * `node closing-line.ts REPORT VITEST_STATUS FAILED_CHECKS`. Exits with 1 when anything failed.
 */
import { readFileSync } from 'node:fs';

/** The parts of vitest's JSON report that are counted. */
export interface TestReport {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string }[];
  }[];
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Counts a report. A file that failed without a failed test (it could not be loaded, or a hook threw) is one failure,
 * and so is a run that failed for any other reason, so that "0 failed" is never printed for a run that was not good.
 */
export function countTests(report: TestReport | undefined, vitestStatus: number, failedChecks: number): Tally {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const file of report?.testResults ?? []) {
    const failedTests = file.assertionResults.filter((test) => test.status === 'failed').length;
    passed += file.assertionResults.filter((test) => test.status === 'passed').length;
    failed += file.status === 'failed' && failedTests === 0 ? 1 : failedTests;
    skipped += file.assertionResults.filter((test) => test.status !== 'passed' && test.status !== 'failed').length;
  }
  if (failed === 0 && (report === undefined || vitestStatus !== 0)) failed = 1;
  return { passed, failed: failed + failedChecks, skipped };
}

function readReport(path: string): TestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined; // vitest ended before it wrote a report
  }
}

if (import.meta.main) {
  const [, , path = '', status = '1', failedChecks = '0'] = process.argv;
  const tally = countTests(readReport(path), Number(status), Number(failedChecks));
  console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
  process.exitCode = tally.failed === 0 ? 0 : 1;
}
