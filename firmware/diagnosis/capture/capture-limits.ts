/** How long and how much is captured: what is not said, and the most that may be asked for. */
import { MAX_CAPTURED } from '../decode/capture-types.ts';

export interface CaptureLimits {
  readonly seconds: number;
  /** Packets in the file. */
  readonly packets: number;
  /** Octets of the whole file. */
  readonly octets: number;
  /** Octets of each packet that are kept. */
  readonly snap: number;
}

export interface Bound {
  readonly least: number;
  readonly most: number;
  readonly default: number;
}

/** A gigabyte and a day are what a forgotten capture may cost at the very most. */
export const CAPTURE_BOUNDS: Readonly<Record<keyof CaptureLimits, Bound>> = {
  seconds: { least: 1, most: 86_400, default: 600 },
  packets: { least: 1, most: 10_000_000, default: 100_000 },
  octets: { least: 4096, most: 1_000_000_000, default: 100_000_000 },
  snap: { least: 64, most: MAX_CAPTURED, default: MAX_CAPTURED },
};

/** The bounds of `asked` where nothing else was asked for. */
export function captureLimits(asked: Partial<CaptureLimits>): CaptureLimits {
  const of = (key: keyof CaptureLimits) => asked[key] ?? CAPTURE_BOUNDS[key].default;
  return { seconds: of('seconds'), packets: of('packets'), octets: of('octets'), snap: of('snap') };
}
