/**
 * Backups made and read beside the control loop, which must not wait for hundreds of secrets to be sealed or for megabytes of
 * somebody's file to be parsed: a thread for each, one at a time, so that many requests do not take the memory of many.
 */
import { Worker } from 'node:worker_threads';
import { reasonOf } from '../state-file.ts';
import type { BackupContent, ReadBackup } from './backup-file.ts';
import type { BackupAnswer, BackupQuestion } from './backup-link.ts';

// No heap limit for the thread: V8 ends the whole process where a parser passes it. The file's size and its number of values
// are bounded instead, by backup-file.ts.
let working: Promise<unknown> = Promise.resolve();

/** `writeBackup()` of backup-file.ts. @throws Error in words. */
export async function makeBackup(content: BackupContent, passphrase: string): Promise<string> {
  const answer = await ask({ kind: 'write', content, passphrase });
  if (answer.kind === 'written') return answer.text;
  throw new Error(answer.kind === 'failed' ? answer.error : 'The backup was not made: try again.');
}

/** `readBackup()` of backup-file.ts. */
export async function openBackup(text: string, passphrase: string): Promise<ReadBackup> {
  const answer = await ask({ kind: 'read', text, passphrase });
  if (answer.kind === 'read') return answer.result;
  const why = answer.kind === 'failed' ? answer.error.replace(/\.$/, '') : 'it was not read';
  return {
    ok: false,
    reason: `the file cannot be read: ${why}`,
    remedy: 'check that it is the right file, and try again',
  };
}

function ask(question: BackupQuestion): Promise<BackupAnswer> {
  const asked = working.then(() => run(question));
  working = asked;
  return asked;
}

/** Fulfilled when the thread is gone, and its memory with it. */
function run(question: BackupQuestion): Promise<BackupAnswer> {
  const { promise, resolve } = Promise.withResolvers<BackupAnswer>();
  const worker = new Worker(new URL('./backup-worker.ts', import.meta.url), {
    name: 'backup',
    workerData: question,
    execArgv: [],
  });
  let answer: BackupAnswer = { kind: 'failed', error: 'The thread for the backup has ended too early.' };
  worker.on('message', (given: BackupAnswer) => {
    answer = given;
  });
  worker.on('error', (error) => {
    answer = { kind: 'failed', error: `The thread for the backup has failed: ${reasonOf(error).replace(/\.$/, '')}.` };
  });
  worker.on('exit', () => resolve(answer));
  return promise;
}
