/** Waiting for a router that was told to end and to be started again. */
import { setTimeout } from 'node:timers/promises';
import { ControlClient } from '../api/client.ts';

/** How long the goodbyes and the start may take, ms. */
const PATIENCE_MS = 60_000;

/** Between two looks, ms. */
const PAUSE_MS = 250;

export interface Looking {
  /** Uptime of the router that answers, s; `undefined`: none answers. */
  readonly look: () => Promise<number | undefined>;
  /** Monotonic, ms. */
  readonly now: () => number;
  readonly pause: () => Promise<unknown>;
}

export function looking(stateDir: string): Looking {
  const client = new ControlClient(stateDir);
  return {
    look: async () => (await client.status().catch(() => undefined))?.uptimeSeconds,
    now: () => performance.now(),
    pause: () => setTimeout(PAUSE_MS),
  };
}

/** @param before uptime of the one that ends, s. @returns whether another one runs within a minute. */
export async function runsAgain(before: number, { look, now, pause }: Looking, signal?: AbortSignal): Promise<boolean> {
  const end = now() + PATIENCE_MS;
  let gone = false;
  while (now() < end && signal?.aborted !== true) {
    const uptime = await look();
    if (uptime === undefined) gone = true;
    else if (gone || uptime < before) return true;
    await pause();
  }
  return false;
}
