#!/usr/bin/env node
/** The `culvert` command. */
import { runCommandLine } from './command-line.ts';
import { tolerateClosedPipes } from './output.ts';

tolerateClosedPipes();
process.exitCode = await runCommandLine(process.argv.slice(2), process.stdout, process.stderr);
