/** The machine would not do it. The message is one sentence for a person: what, why, and what to do about it. */
export class HalError extends Error {
  override readonly name = 'HalError';
  /** errno name (`EPERM`, `EADDRINUSE` ...) or empty. */
  readonly code: string;

  constructor(message: string, code = '') {
    super(message);
    this.code = code;
  }
}
