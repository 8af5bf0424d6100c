/** Runs the `culvert` command as people do: as a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../../firmware/cli/main.ts', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `culvert ...words`, with `CULVERT_STATE_DIR` set where one is given, until it ends. @param input on stdin. */
export async function culvert(words: readonly string[], stateDir?: string, input = ''): Promise<Finished> {
  const { CULVERT_STATE_DIR: _, ...environment } = process.env;
  const child = spawn(process.execPath, [MAIN, ...words], {
    stdio: 'pipe',
    env: { ...environment, ...(stateDir !== undefined && { CULVERT_STATE_DIR: stateDir }) },
  });
  // One that reads nothing may have ended by then.
  child.stdin.on('error', () => undefined).end(input);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, stdout, stderr };
}
