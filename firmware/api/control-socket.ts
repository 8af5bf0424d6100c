/** The control socket: one per state directory, for its owner only, and never stolen from a router that runs. */
import { chmodSync, lstatSync, mkdirSync, statSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';

/** sockaddr_un has 108 octets for the path, the last of them zero (unix(7)). */
const MAX_SOCKET_PATH_OCTETS = 107;

const SET_GROUP_ID = 0o2000;

/** A listening socket of this host answers at once; a process that is stopped or swamped may take a while. */
const PROBE_MS = 2000;

/** The socket cannot be had. The message is for a person: what, why, and what to do about it. */
export class ControlSocketError extends Error {
  override readonly name = 'ControlSocketError';
}

/**
 * Binds `server` to `path`, in a directory that is made (0700) when it is missing. The socket of a dead process
 * is removed first.
 * @param mode of the socket: 0600, for its owner alone, or 0660, for the group of the directory, too.
 * @throws ControlSocketError when another process listens there, something that is no socket stands there, the path is too
 * long or the directory cannot be written.
 */
export async function listenOnControlSocket(server: Server, path: string, mode = 0o600): Promise<void> {
  const octets = Buffer.byteLength(path);
  if (octets > MAX_SOCKET_PATH_OCTETS)
    throw new ControlSocketError(
      `${path} is too long for a Unix socket, ${octets} octets of at most ${MAX_SOCKET_PATH_OCTETS}: use a shorter state directory`,
    );
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    await removeStale(path);
    await bind(server, path, mode);
  } catch (error) {
    throw inWords(error, path);
  }
}

/**
 * Mode of a socket for another user: 0660 in a directory with the set-group-ID bit, which is how whoever makes it names a group
 * whose members may come in (the socket gets the directory's group, mkdir(2)); else 0600.
 */
export function sharedSocketMode(path: string): number {
  const directory = statSync(dirname(path), { throwIfNoEntry: false });
  return directory !== undefined && (directory.mode & SET_GROUP_ID) !== 0 ? 0o660 : 0o600;
}

async function removeStale(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new ControlSocketError(`${path} is in the way and no socket: move it elsewhere`);
  if (await answers(path))
    throw new ControlSocketError(
      `another culvert runs with this state directory (${dirname(path)}): stop it, or choose another one with --state-dir`,
    );
  unlinkSync(path);
}

/** Whether a process listens on the socket. One that is too busy to accept lives. */
function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(path);
  socket.setTimeout(PROBE_MS, () => resolve(true));
  socket.once('connect', () => resolve(true));
  socket.once('error', (error) => resolve(errorCode(error) !== 'ECONNREFUSED' && errorCode(error) !== 'ENOENT'));
  return promise.finally(() => socket.destroy());
}

async function bind(server: Server, path: string, mode: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('listening', resolve);
  server.once('error', reject);
  // Binding happens inside listen(): with this umask there is no moment at which others could open the socket.
  const umask = process.umask(0o177);
  try {
    server.listen(path);
  } finally {
    process.umask(umask);
  }
  await promise;
  server.off('error', reject);
  chmodSync(path, mode);
}

function inWords(error: unknown, path: string): unknown {
  const directory = dirname(path);
  switch (errorCode(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new ControlSocketError(
        `the state directory ${directory} cannot be written: give it to this user, or choose another one with --state-dir`,
      );
    case 'EADDRINUSE':
      return new ControlSocketError(`another culvert was just started with the state directory ${directory}: stop one`);
    case 'ENOTDIR':
    case 'EEXIST':
      return new ControlSocketError(`${directory} is no directory: choose another state directory with --state-dir`);
    case 'ENOSPC':
      return new ControlSocketError(`no space is left for the state directory ${directory}: free some`);
    default:
      return error;
  }
}

/** The errno name of a system error, else an empty string. */
function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
