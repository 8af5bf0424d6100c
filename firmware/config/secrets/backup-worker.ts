/** One backup, made or read, and the thread ends: the passphrase and what was opened with it go at the same time. */
import { parentPort, workerData } from 'node:worker_threads';
import { LinuxEntropy } from '../../../hal/linux/entropy.ts';
import { reasonOf } from '../state-file.ts';
import { readBackup, writeBackup } from './backup-file.ts';
import type { BackupAnswer, BackupQuestion } from './backup-link.ts';

const port = parentPort;
if (port === null) throw new Error('A backup is made by a worker thread, which is not started by itself.');

const question: BackupQuestion = workerData;
port.postMessage(await answer());

async function answer(): Promise<BackupAnswer> {
  const random = new LinuxEntropy();
  try {
    if (question.kind === 'read') {
      return { kind: 'read', result: await readBackup(question.text, question.passphrase, random) };
    }
    return { kind: 'written', text: await writeBackup(question.content, question.passphrase, random) };
  } catch (error) {
    return { kind: 'failed', error: reasonOf(error) };
  }
}
