/** Runs one suite against the Linux implementations. Started inside a network namespace of its own; prints JSON lines. */
import { linuxSuites } from './linux-suites.ts';
import { runSuite } from './run-suite.ts';

await runSuite(linuxSuites);
