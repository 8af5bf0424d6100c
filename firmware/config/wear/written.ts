/**
 * Octets that this thread has written to the state directory, by who wrote them, until somebody takes the sums. Each thread
 * has sums of its own; the store's are handed over with its answers.
 */

/** Octets of a block of flash that a file system writes at least. */
const BLOCK = 4096;

let sums: Record<string, number> = {};

export function addWritten(octets: number, writer: string): void {
  sums[writer] = (sums[writer] ?? 0) + octets;
}

/** What a file of so many octets makes the file system write: whole blocks, and the block of its directory. */
export function fileOctets(octets: number): number {
  return (Math.ceil(octets / BLOCK) + 1) * BLOCK;
}

/** The sums since the last call. */
export function takeWritten(): Readonly<Record<string, number>> {
  const taken = sums;
  sums = {};
  return taken;
}
