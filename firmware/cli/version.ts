/** The version, as `culvert version`, `show status` and the Firmware Revision of a release have it. */
import packageJson from '../../package.json' with { type: 'json' };
import type { Context } from './command.ts';
import { done } from './output.ts';

export const VERSION = packageJson.version;

export async function run(context: Context): Promise<number> {
  context.out(context.options.json === true ? JSON.stringify({ version: VERSION }) : `culvert ${VERSION}`);
  return done;
}
