/** Runs one suite of the virtual board, in its guest; prints JSON lines. */
import { runSuite } from '../contract/run-suite.ts';
import { boardSuites } from './board-suites.ts';

await runSuite(boardSuites);
