/** Who has a UDP port: for the words of EADDRINUSE. Best effort, since processes come and go and may be out of sight. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { parseIpAddress } from '../ip-address.ts';
import type { UdpSocketOptions } from '../udp-socket.ts';

/** Most characters of a program's name that are shown. */
const MAX_COMMAND = 32;

/** A process that holds a socket. */
interface Owner {
  readonly pid: number;
  /** The program's name without its folder, printable ASCII only. */
  readonly command: string;
}

/** What stands for "all addresses" in the tables, which give addresses in hexadecimal. */
const UNSPECIFIED = { 4: '0'.repeat(8), 6: '0'.repeat(32) } as const;

/**
 * A clause without full stop: who has the port, as far as it can be seen. The tables are those of this thread's network
 * namespace, and a socket's number is its own in the whole machine: a process that has the same port in another namespace
 * is never taken for the owner.
 */
export function describeUdpPortOwner(options: Pick<UdpSocketOptions, 'family' | 'port' | 'address'>): string {
  try {
    const owner = findOwner(conflictingInodes(options));
    if (owner?.pid === process.pid) return 'This process has the port already';
    if (owner) return `Process ${owner.pid} (${owner.command}) has the port`;
  } catch {
    // No /proc to look into: say what is known.
  }
  return 'Another process has the port';
}

function conflictingInodes({
  family,
  port,
  address,
}: Pick<UdpSocketOptions, 'family' | 'port' | 'address'>): Set<string> {
  const table = (name: string): string => readFileSync(`/proc/thread-self/net/${name}`, 'latin1');
  const all = UNSPECIFIED[family];
  const wanted = tableAddress(address);
  const conflicts = (local: string): boolean => wanted === all || local === all || local === wanted;
  if (family === 6) return socketInodes(table('udp6'), port, conflicts);
  const inodes = socketInodes(table('udp'), port, conflicts);
  // A socket for all IPv6 addresses may have IPv4 too (ipv6(7), IPV6_V6ONLY); the tables do not say whether it does.
  return inodes.size > 0 ? inodes : socketInodes(table('udp6'), port, (local) => local === UNSPECIFIED[6]);
}

/**
 * The inode numbers of the sockets on `port` in the text of /proc/net/udp or udp6 (proc_pid_net(5)).
 * @param conflicts whether a socket of this local address, as the table writes it, is in the way.
 */
export function socketInodes(table: string, port: number, conflicts: (local: string) => boolean): Set<string> {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const inodes = new Set<string>();
  for (const line of table.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const inode = fields[9];
    const [local = '', localPort] = fields[1]?.split(':') ?? [];
    if (localPort === wanted && inode !== undefined && conflicts(local)) inodes.add(inode);
  }
  return inodes;
}

/** As the tables write it: words of 32 bits in host order, which is little endian wherever this runs. Empty: no address. */
export function tableAddress(address: string): string {
  const octets = parseIpAddress(address) ?? new Uint8Array(0);
  const words = Array.from({ length: octets.length / 4 }, (_, index) => octets.slice(index * 4, index * 4 + 4));
  return words.map((word) => Buffer.from(word.reverse()).toString('hex').toUpperCase()).join('');
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
