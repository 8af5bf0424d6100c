/**
 * What the kernel tells of changes (rtnetlink(7), nfnetlink). Two sockets of this process, asked from time to time: no program
 * has to run beside it, so that nothing can be left behind, and silence costs one system call for each.
 */
import { HalError } from '../hal-error.ts';
import { assertTableName } from '../names.ts';
import type { NetworkEvents } from '../network-events.ts';
import {
  AF_NETLINK,
  NETLINK_NETFILTER,
  NETLINK_ROUTE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
} from './ffi/constants.ts';
import { EAGAIN, EINTR, errnoName } from './ffi/errno.ts';
import { NFGENMSG, NLATTR, NLMSGHDR, RTMSG, SOCKADDR_NL } from './ffi/layout.ts';
import { bind, close, read, socket } from './ffi/libc.ts';

/** Groups of rtnetlink, by number: links, addresses, routes and rules of both families, and their parameters (netconf). */
const ROUTE_GROUPS = [1, 5, 7, 8, 9, 11, 19, 24, 25] as const;

/** NFNLGRP_NFTABLES. */
const NFTABLES_GROUP = 7;

/** RTM_NEWROUTE and RTM_DELROUTE. */
const ROUTE_TYPES: ReadonlySet<number> = new Set([24, 25]);

/** RTM_F_CLONED: a route of the cache, which comes and goes with traffic. */
const CLONED = 0x200;

/** Every message about something in a table of nftables has the table's name as its attribute of this number. */
const TABLE_ATTRIBUTE = 1;

/** Octets that are looked at of one datagram; the kernel fills at most a page or two. */
const DATAGRAM = 64 * 1024;

/** Most datagrams read at a time: a flood of changes must not hold the thread; the rest is read the next time. */
const MOST_DATAGRAMS = 256;

/** @param table name of the nftables table (family inet) whose changes are of interest. @throws HalError. */
export function openNetworkEvents(table: string): NetworkEvents {
  assertTableName(table);
  const routes = subscribe(NETLINK_ROUTE, ROUTE_GROUPS);
  if (routes < 0)
    throw new HalError(`Changes of the network cannot be watched (${errnoName(-routes)}).`, errnoName(-routes));
  const filter = subscribe(NETLINK_NETFILTER, [NFTABLES_GROUP]);
  return new LinuxNetworkEvents(table, routes, filter);
}

/** @returns the socket, or the negative error number with nothing left open. */
function subscribe(protocol: number, groups: readonly number[]): number {
  const handle = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (handle < 0) return handle;
  const address = new Uint8Array(SOCKADDR_NL.size);
  const view = new DataView(address.buffer);
  view.setUint16(SOCKADDR_NL.family, AF_NETLINK, true);
  view.setUint32(SOCKADDR_NL.groups, groups.reduce((mask, group) => mask | (1 << (group - 1)), 0) >>> 0, true);
  const returned = bind(handle, address, address.length);
  if (returned >= 0) return handle;
  close(handle);
  return returned;
}

class LinuxNetworkEvents implements NetworkEvents {
  readonly incomplete?: string;
  readonly #table: string;
  readonly #routes: number;
  readonly #filter: number;
  readonly #buffer = new Uint8Array(DATAGRAM);
  #closed = false;

  constructor(table: string, routes: number, filter: number) {
    this.#table = table;
    this.#routes = routes;
    this.#filter = filter;
    if (filter < 0) this.incomplete = `the kernel tells nothing of its packet filter (${errnoName(-filter)})`;
  }

  take(): boolean {
    if (this.#closed) return false;
    const routes = this.#drain(this.#routes, isRouteChange);
    const filter = this.#filter >= 0 && this.#drain(this.#filter, (message) => namesTable(message, this.#table));
    return routes || filter;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    close(this.#routes);
    if (this.#filter >= 0) close(this.#filter);
  }

  #drain(handle: number, concerns: (message: Uint8Array) => boolean): boolean {
    let changed = false;
    for (let count = 0; count < MOST_DATAGRAMS; count += 1) {
      const received = read(handle, this.#buffer, this.#buffer.length);
      if (received === -EAGAIN || received === -EINTR) return changed;
      // ENOBUFS: more happened than the socket could hold. Whatever else it is, looking once too often does no harm.
      if (received <= 0) changed = true;
      else if (!changed) changed = messagesOf(this.#buffer.subarray(0, received)).some(concerns);
    }
    return true;
  }
}

/** The netlink messages of a datagram, headers included (netlink(7)); what is cut off is left out. */
export function messagesOf(datagram: Uint8Array): Uint8Array[] {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength);
  const messages: Uint8Array[] = [];
  let at = 0;
  while (at + NLMSGHDR.size <= datagram.length) {
    const length = view.getUint32(at + NLMSGHDR.length, true);
    if (length < NLMSGHDR.size || at + length > datagram.length) break;
    messages.push(datagram.subarray(at, at + length));
    at += (length + 3) & ~3;
  }
  return messages;
}

/** Anything but a route of the cache. */
export function isRouteChange(message: Uint8Array): boolean {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  if (!ROUTE_TYPES.has(view.getUint16(NLMSGHDR.type, true))) return true;
  const flags = NLMSGHDR.size + RTMSG.flags;
  return message.length < flags + 4 || (view.getUint32(flags, true) & CLONED) === 0;
}

/** Whether a message of nfnetlink is about this table or something in it. */
export function namesTable(message: Uint8Array, table: string): boolean {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  let at = NLMSGHDR.size + NFGENMSG.size;
  while (at + NLATTR.size <= message.length) {
    const length = view.getUint16(at + NLATTR.length, true);
    if (length < NLATTR.size || at + length > message.length) return false;
    if (view.getUint16(at + NLATTR.type, true) === TABLE_ATTRIBUTE) {
      const value = Buffer.from(message.subarray(at + NLATTR.size, at + length)).toString('latin1');
      return value.replace(/\0+$/, '') === table;
    }
    at += (length + 3) & ~3;
  }
  return false;
}
