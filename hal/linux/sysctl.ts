/** Kernel parameters under /proc/sys, by the dotted names of sysctl(8). */
import { readFile, writeFile } from 'node:fs/promises';
import { HalError } from '../hal-error.ts';
import { explainDenied } from './capabilities.ts';

const ROOT = '/proc/sys/';

/** `net.ipv4.conf.eth0/5.forwarding`: a dot inside a name is written as a slash. */
const KEY = /^[a-z0-9_]+(\.[A-Za-z0-9_@+/-]+)+$/;

/** The file of a key. @throws HalError when the key is no key. */
export function sysctlPath(key: string): string {
  const path = key
    .split('.')
    .map((part) => part.replaceAll('/', '.'))
    .join('/');
  if (KEY.test(key) && !/(^|\/)\.\.?(\/|$)/.test(path)) return ROOT + path;
  throw new HalError(`${JSON.stringify(key)} is no kernel parameter: write it like net.ipv4.ip_forward.`, 'EINVAL');
}

/** @throws HalError when there is no such parameter. */
export async function readSysctl(key: string): Promise<string> {
  const path = sysctlPath(key);
  try {
    return (await readFile(path, 'latin1')).trim();
  } catch (error) {
    throw refused(key, 'read', error);
  }
}

/** @throws HalError when there is no such parameter, it does not take the value, or the right is missing. */
export async function writeSysctl(key: string, value: string): Promise<void> {
  const path = sysctlPath(key);
  try {
    await writeFile(path, `${value}\n`, { encoding: 'latin1', flag: 'r+' });
  } catch (error) {
    throw refused(key, `set to ${JSON.stringify(value)}`, error);
  }
}

function refused(key: string, step: string, error: unknown): HalError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const what = `The kernel parameter ${key} cannot be ${step} (${code || 'unknown error'}).`;
  switch (code) {
    case 'ENOENT':
      return new HalError(
        `${what} This kernel has none of that name, or the device in it is not there: check the name.`,
        code,
      );
    case 'EINVAL':
      return new HalError(`${what} The kernel does not take the value: check it.`, code);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new HalError(`${what} ${explainDenied('CAP_NET_ADMIN')}`, code);
    default:
      return new HalError(what, code);
  }
}
