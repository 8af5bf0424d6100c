/** Why the operating system did not do something to a file, in words. */

/** `undefined` where the error is not one of the operating system. */
export function systemErrorText(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error && 'syscall' in error ? error.code : undefined;
  switch (code) {
    case undefined:
      return undefined;
    case 'ENOENT':
      return 'it is not there';
    case 'EACCES':
    case 'EPERM':
      return 'this user may not';
    case 'EISDIR':
      return 'it is a directory';
    default:
      return error instanceof Error ? error.message : 'for an unknown reason';
  }
}
