/** `culvert run`: the router, in the foreground. */
import { resolve } from 'node:path';
import type { Context } from './command.ts';
import { stateDirOf } from './options.ts';

/** How long what is left over after the router ended may keep the process alive, ms. */
const LEFTOVER_MS = 2000;

export async function run(context: Context): Promise<number> {
  const { runRouter } = await import('../main.ts');
  const { board, config, 'key-dir': keyDir, 'web-socket': webSocket } = context.options;
  const exitCode = await runRouter({
    stateDir: stateDirOf(context.options),
    ...(board !== undefined && { board }),
    ...(config !== undefined && { configFile: config }),
    ...(keyDir !== undefined && { keyDir }),
    ...(webSocket !== undefined && { webSocket: resolve(webSocket) }),
  });
  setTimeout(() => process.exit(exitCode), LEFTOVER_MS).unref();
  return exitCode;
}
