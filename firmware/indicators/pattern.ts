/** What a LED does over time, and how that is said. */
export type Pattern =
  | { readonly kind: 'dark' }
  | { readonly kind: 'lit' }
  /** Milliseconds. */
  | { readonly kind: 'blink'; readonly onMs: number; readonly offMs: number }
  /** So many flashes, then a pause, for ever: 1 or more. */
  | { readonly kind: 'count'; readonly count: number }
  /** As the kernel's netdev trigger; `link` is how the device is now, for LEDs that have no such trigger. */
  | { readonly kind: 'netdev'; readonly device: string; readonly link: boolean };

/** To follow the name of the LED. */
export function patternText(pattern: Pattern): string {
  switch (pattern.kind) {
    case 'dark':
      return 'dark';
    case 'lit':
      return 'lit';
    case 'blink':
      return `blinks, ${pattern.onMs} ms on and ${pattern.offMs} ms off`;
    case 'count':
      return `flashes ${pattern.count === 1 ? 'once' : `${pattern.count} times`}, then pauses`;
    case 'netdev':
      return `lit with the link of ${pattern.device}, flickers with its packets`;
  }
}

export function samePattern(one: Pattern, other: Pattern): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
