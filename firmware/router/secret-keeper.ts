/**
 * Every secret that this process has ever been given, for the log's filter: an old password must not get into the log
 * either, and a connection that is just being stopped may still speak of it.
 */
export class SecretKeeper {
  readonly #secrets = new Set<string>();
  #list: readonly string[] = [];

  add(secrets: Iterable<string>): void {
    for (const secret of secrets) this.#secrets.add(secret);
    this.#list = [...this.#secrets].sort((a, b) => b.length - a.length);
  }

  /** The longest first, so that one which contains another is struck out whole. */
  all(): readonly string[] {
    return this.#list;
  }
}
