/**
 * The structures of this folder are laid out by hand for 64-bit little-endian Linux (LP64). Anywhere else they would
 * corrupt memory, so nothing is loaded there.
 */
import { endianness } from 'node:os';
import { HalError } from '../../hal-error.ts';

/** Architectures that share the generic numbers of errno, socket options and ioctls. */
const SUPPORTED: readonly string[] = ['x64', 'arm64', 'riscv64', 'loong64'];

/** @throws HalError when the structures of this folder do not fit the machine. */
export function assertSupportedAbi(platform: string, arch: string, endian: string): void {
  if (platform === 'linux' && SUPPORTED.includes(arch) && endian === 'LE') return;
  throw new HalError(
    `Culvert's system calls are laid out for 64-bit little-endian Linux (${SUPPORTED.join(', ')}), but this is ` +
      `${platform} on ${arch} (${endian}): run it on a supported board.`,
    'ENOSYS',
  );
}

assertSupportedAbi(process.platform, process.arch, endianness());
