/** Device files that are spoken to by ioctl(2); tests hand in a kernel that they made up. */
import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { POLLIN } from './ffi/constants.ts';
import { errnoName } from './ffi/errno.ts';
import { POLLFD } from './ffi/layout.ts';
import { ioctl, poll, read, write } from './ffi/libc.ts';

export interface DeviceFiles {
  /** Names in /dev or a folder of it; none where there is no such folder. */
  list(folder: string): readonly string[];
  /** @throws Error of the system, with its `code`. */
  open(path: string, mode: 'read' | 'write' | 'both'): number;
  close(handle: number): void;
  /** These return what the kernel does: zero or more, or the negative error number. */
  ioctl(handle: number, request: number, argument: Uint8Array): number;
  read(handle: number, into: Uint8Array): number;
  write(handle: number, bytes: Uint8Array): number;
  /** Whether a read would not wait, be it for an error. */
  isReady(handle: number): boolean;
}

const MODES = { read: constants.O_RDONLY, write: constants.O_WRONLY, both: constants.O_RDWR } as const;

export const deviceFiles: DeviceFiles = {
  list: (folder) => {
    try {
      return readdirSync(folder);
    } catch {
      return [];
    }
  },
  // The descriptor is close-on-exec: libuv adds O_CLOEXEC.
  open: (path, mode) => openSync(path, MODES[mode] | constants.O_NONBLOCK),
  close: (handle) => closeSync(handle),
  ioctl: (handle, request, argument) => ioctl(handle, request, argument, argument.byteLength),
  read: (handle, into) => read(handle, into, into.byteLength),
  write: (handle, bytes) => write(handle, bytes, bytes.byteLength),
  isReady: (handle) => {
    const entry = new Uint8Array(POLLFD.size);
    const view = new DataView(entry.buffer);
    view.setInt32(POLLFD.handle, handle, true);
    view.setInt16(POLLFD.events, POLLIN, true);
    return poll(entry, 1, 0) > 0;
  },
};

/** The errno name of a negative result. */
export function failed(returned: number): string {
  return errnoName(-returned);
}
