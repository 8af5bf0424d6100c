/**
 * Names of the error numbers of Linux on the architectures that use the generic table (x86-64, arm64, riscv64):
 * include/uapi/asm-generic/errno-base.h and errno.h. Only those that the calls of this folder can give.
 */
const NAMES: Readonly<Record<number, string>> = {
  1: 'EPERM',
  2: 'ENOENT',
  4: 'EINTR',
  5: 'EIO',
  6: 'ENXIO',
  9: 'EBADF',
  11: 'EAGAIN',
  12: 'ENOMEM',
  13: 'EACCES',
  14: 'EFAULT',
  16: 'EBUSY',
  17: 'EEXIST',
  19: 'ENODEV',
  22: 'EINVAL',
  23: 'ENFILE',
  24: 'EMFILE',
  25: 'ENOTTY',
  28: 'ENOSPC',
  32: 'EPIPE',
  71: 'EPROTO',
  74: 'EBADMSG',
  75: 'EOVERFLOW',
  77: 'EBADFD',
  88: 'ENOTSOCK',
  89: 'EDESTADDRREQ',
  90: 'EMSGSIZE',
  91: 'EPROTOTYPE',
  92: 'ENOPROTOOPT',
  93: 'EPROTONOSUPPORT',
  95: 'EOPNOTSUPP',
  97: 'EAFNOSUPPORT',
  98: 'EADDRINUSE',
  99: 'EADDRNOTAVAIL',
  100: 'ENETDOWN',
  101: 'ENETUNREACH',
  102: 'ENETRESET',
  103: 'ECONNABORTED',
  104: 'ECONNRESET',
  105: 'ENOBUFS',
  107: 'ENOTCONN',
  110: 'ETIMEDOUT',
  111: 'ECONNREFUSED',
  112: 'EHOSTDOWN',
  113: 'EHOSTUNREACH',
};

export const EINTR = 4;
export const EAGAIN = 11;
export const ENODEV = 19;
export const EINVAL = 22;
export const EBADFD = 77;

/** The name of a positive error number, `E` and the number where it has none here. */
export function errnoName(number: number): string {
  return NAMES[number] ?? `E${number}`;
}

/** Errors of send that are about this message or this moment, never left over from another. */
export const OWN_SEND_ERRORS: ReadonlySet<string> = new Set([
  'EAGAIN',
  'ENOBUFS',
  'ENOMEM',
  'EPERM',
  'EINVAL',
  'EBADF',
]);

/** How often a call is tried again that answered with a pending error, of an earlier message. A socket holds one. */
export const PENDING_ERROR_RETRIES = 1;
