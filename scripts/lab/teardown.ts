/**
 * What has to be undone before this process is gone. Each part of the lab registers, when it makes something, how to
 * take it away; whatever is still registered when the process ends is undone then, newest first. So nothing is left
 * behind by an exception, an early exit or a signal. (Against SIGKILL the daemons are bound to the life of this process
 * by the kernel, and namespaces and folders are swept by the next run.)
 */

/** One thing to be undone. */
export interface Undo {
  /** Undoes it now, unless that was done already. */
  run(): void;
  /** It was undone in another way: nothing remains to be done. */
  forget(): void;
}

const pending = new Set<() => void>();
let hooked = false;

/**
 * Registers `undo` to be called at the end of the process at the latest.
 * @param undo - synchronous, because nothing else runs while a process ends; its errors are ignored then
 */
export function onTeardown(undo: () => void): Undo {
  hookProcessEnd();
  pending.add(undo);
  return {
    run() {
      if (pending.delete(undo)) undo();
    },
    forget() {
      pending.delete(undo);
    },
  };
}

function undoEverything(): void {
  for (const undo of [...pending].reverse()) {
    pending.delete(undo);
    try {
      undo();
    } catch {
      // The rest is still to be undone, and nobody is left to be told.
    }
  }
}

function hookProcessEnd(): void {
  if (hooked) return;
  hooked = true;
  process.on('exit', undoEverything);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const end = () => {
      // A program with a handler of its own decides when it ends; the exit hook comes then.
      if (process.listenerCount(signal) > 1) return;
      undoEverything();
      process.off(signal, end);
      process.kill(process.pid, signal);
    };
    process.on(signal, end);
  }
}

/** Whether a process with this id exists (a zombie counts). */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
