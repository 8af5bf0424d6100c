/**
 * Which kernel the guests run: one with everything built in where there is one (named by CULVERT_LAB_KERNEL, or made by
 * scripts/lab-kernel), otherwise Debian's User Mode Linux.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LabError, run } from './shell.ts';

export interface GuestKernel {
  /** The executable: a User Mode Linux kernel is a program of the host. */
  readonly path: string;
  /** The folder of its modules (it holds `modules.dep`); absent when everything is built in. */
  readonly modules?: string;
  /** What was chosen and why, for people. */
  readonly description: string;
}

const DEBIAN_KERNEL = '/usr/bin/linux.uml';
const DEBIAN_MODULES = '/usr/lib/uml/modules';
const CACHE_FOLDER = join(import.meta.dirname, '../../.cache/lab-kernel');

/**
 * The kernel named by the environment variable CULVERT_LAB_KERNEL (a User Mode Linux executable with everything built
 * in, or the same packed with xz), otherwise what scripts/lab-kernel has made, otherwise Debian's.
 * @throws LabError when there is none of them
 */
export async function findGuestKernel(): Promise<GuestKernel> {
  return (await findFullKernel()) ?? debianKernel();
}

/**
 * A kernel with everything built in, GPIO, LEDs, USB and a watchdog too; `undefined` where there is only Debian's.
 * @throws LabError when CULVERT_LAB_KERNEL names what is no kernel
 */
export async function findFullKernel(): Promise<GuestKernel | undefined> {
  const named = process.env['CULVERT_LAB_KERNEL'];
  return named === undefined || named === '' ? madeKernel() : await builtInKernel(named);
}

/** The latest that scripts/lab-kernel has made; `undefined` when it was never run. */
function madeKernel(): GuestKernel | undefined {
  const names = existsSync(CACHE_FOLDER) ? readdirSync(CACHE_FOLDER) : [];
  const made = names.filter((name) => /^made-[0-9a-f]{16}$/.test(name)).map((name) => join(CACHE_FOLDER, name));
  const [path] = made.toSorted((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  return path === undefined ? undefined : { path, description: 'the kernel of scripts/lab-kernel' };
}

/** The kernel of Debian's package user-mode-linux, with its modules. @throws LabError when it is not installed */
export function debianKernel(): GuestKernel {
  if (!existsSync(DEBIAN_KERNEL)) {
    throw new LabError(
      process.arch === 'x64'
        ? `there is no ${DEBIAN_KERNEL}; install it with scripts/setup demo`
        : 'guests need User Mode Linux, which exists for x86-64 only',
    );
  }
  const version = readdirSync(DEBIAN_MODULES)[0];
  if (version === undefined) throw new LabError(`${DEBIAN_MODULES} is empty; reinstall the package user-mode-linux`);
  return {
    path: DEBIAN_KERNEL,
    modules: join(DEBIAN_MODULES, version),
    description: `Debian's User Mode Linux ${version}`,
  };
}

/** A kernel without modules, from a file. @throws LabError when the file is missing or cannot be unpacked */
export async function builtInKernel(file: string): Promise<GuestKernel> {
  if (!existsSync(file)) {
    throw new LabError(`CULVERT_LAB_KERNEL names ${file}, which does not exist; correct it or unset it`);
  }
  const description = `the kernel ${basename(file)} (CULVERT_LAB_KERNEL)`;
  return { path: file.endsWith('.xz') ? await unpack(file) : file, description };
}

/** Unpacks once; a file of another size or age is another kernel. */
async function unpack(file: string): Promise<string> {
  const { size, mtimeMs } = statSync(file);
  const target = join(CACHE_FOLDER, `${basename(file, '.xz')}-${size}-${Math.trunc(mtimeMs)}`);
  if (existsSync(target)) return target;
  mkdirSync(CACHE_FOLDER, { recursive: true });
  // Several runs may unpack at the same time: each into a file of its own, and the last rename wins.
  const partial = `${target}.${process.pid}`;
  try {
    await run(['bash', '-c', 'exec xz --decompress --stdout -- "$1" > "$2"', 'bash', file, partial]);
    chmodSync(partial, 0o755);
    renameSync(partial, target);
  } finally {
    rmSync(partial, { force: true });
  }
  return target;
}

/** The release that a kernel reports, such as `6.1.176`. */
export function kernelRelease(kernel: GuestKernel): string {
  return execFileSync(kernel.path, ['--version'], { encoding: 'utf8' }).trim();
}
