/**
 * Prints what failed in a test run, and its closing line, `N passed, N failed, N skipped`, from the report of vitest's
 * JSON reporter: `node closing-line.ts REPORT VITEST_STATUS FAILED_CHECKS`. Exits with 1 when anything failed.
 */
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** Lines of a failure's message, and failures: where a log is cut short, its end has all that matters. */
const MAX_LINES = 12;
const MAX_TOLD = 20;

/** The parts of vitest's JSON report that are used. */
export interface TestReport {
  readonly testResults: readonly {
    /** Path of the file. */
    readonly name: string;
    readonly status: string;
    /** Why the file itself failed. */
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
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

/** What failed and why, in lines. */
export function failedTests(report: TestReport | undefined): readonly string[] {
  const told = (report?.testResults ?? [])
    .filter(({ status }) => status === 'failed')
    .flatMap(({ name, message, assertionResults }) => {
      const tests = assertionResults.filter(({ status }) => status === 'failed');
      const file = relative('', name);
      if (tests.length === 0) return [failureText(file, message)];
      return tests.map(({ fullName, failureMessages }) =>
        failureText(`${file} > ${fullName}`, failureMessages.join('\n')),
      );
    });
  const more = told.length > MAX_TOLD ? [`and ${told.length - MAX_TOLD} more`] : [];
  return [...told.slice(0, MAX_TOLD), ...more];
}

function failureText(what: string, message: string): string {
  const lines = stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => line.trim() !== '');
  return [`failed: ${what}`, ...lines.slice(0, MAX_LINES).map((line) => `    ${line}`)].join('\n');
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
  const report = readReport(path);
  for (const failure of failedTests(report)) console.log(failure);
  const tally = countTests(report, Number(status), Number(failedChecks));
  console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
  process.exitCode = tally.failed === 0 ? 0 : 1;
}
