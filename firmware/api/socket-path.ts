/** Where the control API of an instance is found. */
import { resolve } from 'node:path';

/** `web.sock` in the state directory: where the web process is the owner's, too. */
export function webSocketPath(stateDir: string): string {
  return resolve(stateDir, 'web.sock');
}

/** `control.sock` in the state directory. */
export function controlSocketPath(stateDir: string): string {
  return resolve(stateDir, 'control.sock');
}
