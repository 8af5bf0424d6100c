/** What `ip` says on failure, back to error numbers: it prints the kernel's words, not its numbers. */

/** First match wins. Older kernels give the C library's words, newer ones their own ("extended acknowledgement"). */
const CODES: readonly (readonly [RegExp, string])[] = [
  [/File exists|already assigned|already exists/i, 'EEXIST'],
  [/address not found|Cannot assign requested address/i, 'EADDRNOTAVAIL'],
  [/Cannot find device|No such device|does not exist\b.*device/i, 'ENODEV'],
  [/No such process/i, 'ESRCH'],
  [/FIB table does not exist|No such file or directory/i, 'ENOENT'],
  [/Operation not permitted|Permission denied/i, 'EPERM'],
  [/Nexthop has invalid gateway|Network is unreachable|Nexthop device is not up/i, 'ENETUNREACH'],
  [/No route to host/i, 'EHOSTUNREACH'],
  [/Device for nexthop is not up|Network is down/i, 'ENETDOWN'],
  [/Device or resource busy/i, 'EBUSY'],
  [/Operation not supported|Unknown device type/i, 'EOPNOTSUPP'],
  [/Invalid|is expected rather than|less than device minimum|greater than device maximum/i, 'EINVAL'],
];

/** The errno name, or empty when the words are unknown. */
export function errorCodeOf(stderr: string): string {
  return CODES.find(([pattern]) => pattern.test(stderr))?.[1] ?? '';
}

/** The telling line of the output, without the program's prefixes and without a full stop. */
export function errorTextOf(stderr: string): string {
  const line = stderr.split('\n').find((text) => text.trim() !== '') ?? 'no reason given';
  return line
    .replace(/^(RTNETLINK answers|Error):\s*/, '')
    .trim()
    .replace(/\.$/, '');
}
