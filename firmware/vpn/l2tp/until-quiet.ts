import type { Clock } from '../../../hal/clock.ts';

/** How long a shutdown waits for the peers' acknowledgements, ms. */
const SHUTDOWN_MS = 2_000;
/** Distance between two looks, ms. */
const LOOK_MS = 20;

/** Waits until every peer has acknowledged the goodbye, or has had time enough for it. */
export async function untilQuiet(machine: { readonly quiet: boolean }, clock: Clock): Promise<void> {
  const deadline = clock.now() + SHUTDOWN_MS;
  while (!machine.quiet && clock.now() < deadline) {
    await new Promise<void>((done) => clock.setTimer(clock.now() + LOOK_MS, done));
  }
}
