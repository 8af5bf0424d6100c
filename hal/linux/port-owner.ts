/** Who has a UDP port: for the words of EADDRINUSE. Best effort, since processes come and go and may be out of sight. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import type { UdpSocketOptions } from '../udp-socket.ts';

/** Most characters of a program's name that are shown. */
const MAX_COMMAND = 32;

/** A process that holds a socket. */
interface Owner {
  readonly pid: number;
  /** The program's name without its folder, printable ASCII only. */
  readonly command: string;
}

/** A clause without full stop: who has the port, as far as it can be seen. */
export function describeUdpPortOwner(options: Pick<UdpSocketOptions, 'family' | 'port'>): string {
  try {
    const inodes = socketInodes(
      readFileSync(`/proc/thread-self/net/udp${options.family === 6 ? '6' : ''}`, 'latin1'),
      options.port,
    );
    const owner = findOwner(inodes);
    if (owner?.pid === process.pid) return 'This process has the port already';
    if (owner) return `Process ${owner.pid} (${owner.command}) has the port`;
  } catch {
    // No /proc to look into: say what is known.
  }
  return 'Another process has the port';
}

/** The inode numbers of the sockets on `port` in the text of /proc/net/udp (proc_pid_net(5)). */
export function socketInodes(table: string, port: number): ReadonlySet<string> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const inode = fields[9];
    if (fields[1]?.split(':')[1] === wanted && inode !== undefined) inodes.add(inode);
  }
  return inodes;
}

function findOwner(inodes: ReadonlySet<string>): Owner | undefined {
  const targets = new Set([...inodes].map((inode) => `socket:[${inode}]`));
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry) || !holdsAny(entry, targets)) continue;
    return { pid: Number(entry), command: commandOf(entry) };
  }
  return undefined;
}

function holdsAny(pid: string, targets: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return targets.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}

/** Of the command line only the program: arguments may hold secrets. A thread's name (`comm`) often says nothing. */
function commandOf(pid: string): string {
  try {
    const program = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')[0] ?? '';
    return (
      basename(program)
        .slice(0, MAX_COMMAND)
        .replace(/[^\x20-\x7e]/g, '?') || 'name unknown'
    );
  } catch {
    return 'name unknown';
  }
}
