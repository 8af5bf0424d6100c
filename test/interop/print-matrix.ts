/** Prints the interop matrix of a run from the report of vitest's JSON reporter: `node print-matrix.ts REPORT`. */
import { readFileSync } from 'node:fs';
import type { MatrixRow } from './matrix.ts';

interface MatrixReport {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly meta?: { readonly interop?: MatrixRow } }[];
  }[];
}

const HEADINGS = ['peer', 'our role', 'IKE', 'proof', 'mode', 'ESP', 'algorithms', 'result', 'ms'];

/** @returns the table, a line for each case in the order of the run; empty when there was no case */
export function formatMatrix(report: MatrixReport): string {
  const rows = report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.flatMap(({ status, meta }) => {
      const row = meta?.interop;
      if (row === undefined) return [];
      const { peer, role, version, mode, encapsulation, algorithms, proof = 'PSK', milliseconds } = row;
      return [[peer, role, `v${version}`, proof, mode, encapsulation, algorithms, status, `${milliseconds ?? ''}`]];
    }),
  );
  if (rows.length === 0) return '';
  const widths = HEADINGS.map((heading, i) => Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [HEADINGS, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n');
}

if (import.meta.main) {
  try {
    const table = formatMatrix(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')));
    if (table !== '') console.log(`\n${table}\n`);
  } catch {
    // vitest ended before it wrote a report; the closing line says so
  }
}
