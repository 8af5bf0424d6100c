/**
 * Every foreign function call of the project. Each takes its memory as a `Uint8Array` and a length that is checked
 * against it before the call; none keeps a pointer after it returns, but those that {@link addressOf} wrote into a
 * structure, which must point into memory that its caller holds.
 *
 * All return what the kernel does: zero or more for success, the negative error number for failure.
 */
import './abi.ts';
import koffi from 'koffi';
import { MSGHDR, POLLFD, TIMESPEC } from './layout.ts';

const libc = koffi.load(null);

type Call<A extends readonly unknown[]> = (...args: A) => number;

const cRead: Call<[number, Uint8Array, number]> = libc.func('intptr_t read(int fd, void *buffer, size_t count)');
const cWrite: Call<[number, Uint8Array, number]> = libc.func('intptr_t write(int fd, void *buffer, size_t count)');
const cClose: Call<[number]> = libc.func('int close(int fd)');
const cIoctl: Call<[number, number, Uint8Array]> = libc.func('int ioctl(int fd, ulong request, void *argument)');
const cSocket: Call<[number, number, number]> = libc.func('int socket(int domain, int type, int protocol)');
const cBind: Call<[number, Uint8Array, number]> = libc.func('int bind(int fd, void *address, uint length)');
const cGetsockname: Call<[number, Uint8Array, Uint8Array]> = libc.func(
  'int getsockname(int fd, void *address, void *length)',
);
const cSetsockopt: Call<[number, number, number, Uint8Array, number]> = libc.func(
  'int setsockopt(int fd, int level, int option, void *value, uint length)',
);
const cGetsockopt: Call<[number, number, number, Uint8Array, Uint8Array]> = libc.func(
  'int getsockopt(int fd, int level, int option, void *value, void *length)',
);
const cRecvmsg: Call<[number, Uint8Array, number]> = libc.func('intptr_t recvmsg(int fd, void *message, int flags)');
const cSendmsg: Call<[number, Uint8Array, number]> = libc.func('intptr_t sendmsg(int fd, void *message, int flags)');
const cPoll: Call<[Uint8Array, number, number]> = libc.func('int poll(void *handles, ulong count, int timeout)');
const cClockGettime: Call<[number, Uint8Array]> = libc.func('int clock_gettime(int clock, void *time)');
const cEventfd: Call<[number, number]> = libc.func('int eventfd(uint initial, int flags)');

function result(returned: number): number {
  return returned < 0 ? -koffi.errno() : returned;
}

/** A length that does not fit its buffer would let the kernel write into foreign memory: a bug, so it throws. */
function assertFits(length: number, buffer: Uint8Array, least = 0): void {
  if (!Number.isInteger(length) || length < least || length > buffer.byteLength) {
    throw new RangeError(`length ${length} does not fit a buffer of ${buffer.byteLength} octets`);
  }
}

/**
 * Where the octets of `buffer` lie, for a pointer field. Valid as long as the caller holds the buffer and does not
 * transfer it; to be taken anew for a buffer that is not the caller's own.
 */
export function addressOf(buffer: Uint8Array): bigint {
  return koffi.address(buffer);
}

/** read(2) of at most `length` octets to the start of `into`. */
export function read(fd: number, into: Uint8Array, length: number): number {
  assertFits(length, into);
  return result(cRead(fd, into, length));
}

/** write(2) of the first `length` octets of `bytes`. */
export function write(fd: number, bytes: Uint8Array, length: number): number {
  assertFits(length, bytes);
  return result(cWrite(fd, bytes, length));
}

/** close(2). */
export function close(fd: number): number {
  return result(cClose(fd));
}

/** ioctl(2) whose argument is a structure of `size` octets, read and perhaps written by the kernel. */
export function ioctl(fd: number, request: number, argument: Uint8Array, size: number): number {
  assertFits(size, argument);
  return result(cIoctl(fd, request, argument));
}

/** socket(2). @returns the descriptor. */
export function socket(domain: number, type: number, protocol: number): number {
  return result(cSocket(domain, type, protocol));
}

/** bind(2) to the sockaddr of `length` octets. */
export function bind(fd: number, address: Uint8Array, length: number): number {
  assertFits(length, address);
  return result(cBind(fd, address, length));
}

/** getsockname(2) into `address`. @returns the length of the sockaddr. */
export function getsockname(fd: number, address: Uint8Array): number {
  const length = new Uint8Array(Uint32Array.of(address.byteLength).buffer);
  const returned = result(cGetsockname(fd, address, length));
  return returned < 0 ? returned : new DataView(length.buffer).getUint32(0, true);
}

/** setsockopt(2) with the first `length` octets of `value`. */
export function setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number {
  assertFits(length, value);
  return result(cSetsockopt(fd, level, option, value, length));
}

/** setsockopt(2) with an `int` (or unsigned) of 32 bits. */
export function setIntegerOption(fd: number, level: number, option: number, value: number): number {
  const octets = new Uint8Array(4);
  new DataView(octets.buffer).setUint32(0, value, true);
  return setsockopt(fd, level, option, octets, octets.length);
}

/** getsockopt(2) into `value`. @returns the length of the value. */
export function getsockopt(fd: number, level: number, option: number, value: Uint8Array): number {
  const length = new Uint8Array(Uint32Array.of(value.byteLength).buffer);
  const returned = result(cGetsockopt(fd, level, option, value, length));
  return returned < 0 ? returned : new DataView(length.buffer).getUint32(0, true);
}

/** recvmsg(2) with a `struct msghdr` whose pointers lead into memory that the caller holds. @returns octets received. */
export function recvmsg(fd: number, message: Uint8Array, flags: number): number {
  assertFits(MSGHDR.size, message);
  return result(cRecvmsg(fd, message, flags));
}

/** sendmsg(2), as {@link recvmsg}. @returns octets sent. */
export function sendmsg(fd: number, message: Uint8Array, flags: number): number {
  assertFits(MSGHDR.size, message);
  return result(cSendmsg(fd, message, flags));
}

/** poll(2) over `count` structures. @param timeoutMs -1: for ever. @returns how many are ready. */
export function poll(handles: Uint8Array, count: number, timeoutMs: number): number {
  assertFits(count * POLLFD.size, handles);
  return result(cPoll(handles, count, timeoutMs));
}

/** eventfd(2). @returns the descriptor. */
export function eventfd(initial: number, flags: number): number {
  return result(cEventfd(initial, flags));
}

/** clock_gettime(2) into a `struct timespec`. */
export function clockGettime(clock: number, into: Uint8Array): number {
  assertFits(TIMESPEC.size, into);
  return result(cClockGettime(clock, into));
}
