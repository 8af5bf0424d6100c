/** Runs one suite against the Linux implementations. Started inside a network namespace of its own; prints JSON lines. */
import { linuxSuites } from './linux-suites.ts';

const suite = linuxSuites.find(({ name }) => name === process.argv[2]);
if (!suite) throw new Error(`there is no suite ${process.argv[2]}`);
for (const { name, run } of suite.cases) {
  let error: string | undefined;
  try {
    await run();
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  }
  process.stdout.write(`${JSON.stringify({ name, error })}\n`);
}
