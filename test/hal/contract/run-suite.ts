import type { Suite } from './contract.ts';

/** Runs the suite that the command line names, and prints a JSON line for each of its cases. */
export async function runSuite(suites: readonly Suite[], wanted = process.argv[2]): Promise<void> {
  const suite = suites.find(({ name }) => name === wanted);
  if (!suite) throw new Error(`there is no suite ${wanted}`);
  for (const { name, run } of suite.cases) {
    let error: string | undefined;
    try {
      await run();
    } catch (thrown) {
      error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    }
    process.stdout.write(`${JSON.stringify({ name, error })}\n`);
  }
}
