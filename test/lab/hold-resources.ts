/** For teardown.test.ts: makes a namespace, a folder and a daemon, prints them as JSON, and ends as it is told. */
import { once } from 'node:events';
import { join } from 'node:path';
import { startDaemon } from '../../scripts/lab/daemon.ts';
import { createNamespace } from '../../scripts/lab/namespaces.ts';
import { createStateFolder } from '../../scripts/lab/state-folder.ts';

const namespace = await createNamespace('held');
const folder = createStateFolder('held');
await startDaemon({
  name: 'sleeper',
  // A child of the daemon must go, too.
  command: ['bash', '-c', 'sleep 1000 & sleep 1000; :', folder.path],
  namespace: namespace.name,
  logFile: join(folder.path, 'log'),
});
console.log(JSON.stringify({ namespace: namespace.name, folder: folder.path }));
await once(process.stdin, 'data');
if (process.argv[2] === 'throw') throw new Error('as told');
process.exit(0);
