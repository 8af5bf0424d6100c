/** It cannot be used. The message says which file, why and what to do, one sentence without a full stop. */
export class ImportError extends Error {
  override readonly name: string = 'ImportError';
}

/** A file is under a passphrase, and none was given. */
export class PassphraseNeededError extends ImportError {
  override readonly name = 'PassphraseNeededError';
}
