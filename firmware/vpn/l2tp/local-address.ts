import type { Failure } from '../../protocol/machine.ts';

/**
 * From which address of this side a server is called; `undefined`: from any, as the machine likes. A failure: the way out that it
 * has to go is not there.
 */
export type LocalAddressOf = (remote: string) => Promise<string | Failure | undefined>;

/** The address of this side for each of the server's. `failure`: there is none for one of them. */
export async function localsOf(
  remotes: readonly string[],
  localAddress: LocalAddressOf = async () => undefined,
): Promise<{ readonly locals: ReadonlyMap<string, string>; readonly failure?: Failure }> {
  const locals = new Map<string, string>();
  for (const remote of remotes) {
    const local = await localAddress(remote).catch(() => undefined);
    if (typeof local === 'string') locals.set(remote, local);
    else if (local !== undefined) return { locals, failure: local };
  }
  return { locals };
}
