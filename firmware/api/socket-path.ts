/** Where the control API of an instance is found. */
import { resolve } from 'node:path';

/** `control.sock` in the state directory. */
export function controlSocketPath(stateDir: string): string {
  return resolve(stateDir, 'control.sock');
}
