/**
 * Which PIN was tried where, so that a wrong one is tried once: on a SIM by its serial number, and in this modem where that cannot be
 * read, as when something unasked ate the answer. What cannot be told apart counts as the same.
 */

/** Opaque: values derived from the serial number of a SIM (or standing for this modem) and from a PIN on it. */
export interface PinKey {
  readonly sim: string;
  readonly pin: string;
}

/** `tried`: to be taken for wrong until it has been proved good. `tried unseen`: on a SIM whose serial number was not known. */
export type PinState = 'tried' | 'tried unseen' | 'good';

export type PinEntry = PinKey & { readonly state: PinState };

export interface PinKeys {
  /** Of the SIM; absent where its serial number is not known. */
  readonly sim?: PinKey;
  /** Of this modem, whatever SIM is in it. */
  readonly modem: PinKey;
}

/**
 * Whether the PIN may be tried; to be followed by {@link noteTry} before it is. One that was good may be given again: else a power cut in
 * that moment would lock the branch out for good.
 */
export function mayTryPin(entries: readonly PinEntry[], { sim, modem }: PinKeys): boolean {
  const modemState = stateOf(entries, modem);
  if (sim === undefined) return modemState === undefined || modemState === 'good';
  const simState = stateOf(entries, sim);
  return simState === undefined ? modemState !== 'tried unseen' : simState === 'good';
}

/** What is to be remembered, durably, before the PIN is given. */
export function noteTry(entries: readonly PinEntry[], keys: PinKeys): readonly PinEntry[] {
  const known = stateOf(entries, keys.sim ?? keys.modem);
  return known === 'good' ? entries : noteResult(entries, keys, false);
}

/** What is to be remembered once it is known how it went. */
export function noteResult(entries: readonly PinEntry[], { sim, modem }: PinKeys, good: boolean): readonly PinEntry[] {
  const seen = sim === undefined ? 'tried unseen' : 'tried';
  const keys = sim === undefined ? [modem] : [modem, sim];
  // A right PIN gives the SIM all of its tries back, so that others may be tried again, too.
  const stays = (entry: PinEntry) => !keys.some((key) => entry.sim === key.sim && (good || entry.pin === key.pin));
  const added = keys.map((key): PinEntry => ({ ...key, state: good ? 'good' : seen }));
  return [...entries.filter(stays), ...added];
}

function stateOf(entries: readonly PinEntry[], key: PinKey): PinState | undefined {
  return entries.find(({ sim, pin }) => sim === key.sim && pin === key.pin)?.state;
}
