/** Started by factory-reset.test.ts: `erase-state-child.ts STATE-DIR KEY-DIR N` erases, and is killed before its step N. */
import { eraseState } from '../../../../firmware/config/secrets/factory-reset.ts';

const [, , stateDirectory = '', keyDirectory = '', last = ''] = process.argv;
let step = 0;
await eraseState({
  stateDirectory,
  keyDirectory,
  onStep: () => {
    step += 1;
    // Nothing after this line runs: the kernel ends the process before the call returns.
    if (step === Number(last)) process.kill(process.pid, 'SIGKILL');
  },
});
