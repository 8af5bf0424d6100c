/** The states of a client as a table (RFC 2131 section 4.4), and its pauses. Times in milliseconds. */
import type { Instant, RandomSource } from '../machine.ts';
import type { DhcpState } from './client-types.ts';

export interface StateRow {
  /** For people. */
  readonly doing: string;
  /** What is sent on entry and repeated. */
  readonly sends?: 'DISCOVER' | 'REQUEST';
  /** Who the request goes to: everybody, or the server of the lease alone. */
  readonly to: 'everybody' | 'server';
  /** What an ACK leads to; absent: it is passed over. */
  readonly onAck?: 'probing' | 'bound';
  /** Whether a NAK sends back to INIT, and from whom it counts. */
  readonly nakFrom?: 'anybody' | 'server';
  /** Messages without an answer after which it goes back to INIT; absent: for ever, or until the next time of the lease. */
  readonly tries?: number;
  /** Whether the address of a lease is in use. */
  readonly hasAddress: boolean;
}

export const STATES: Readonly<Record<DhcpState, StateRow>> = {
  stopped: { doing: '', to: 'everybody', hasAddress: false },
  init: { doing: 'waiting before it asks for a lease again', to: 'everybody', hasAddress: false },
  selecting: { doing: 'looking for a DHCP server', sends: 'DISCOVER', to: 'everybody', hasAddress: false },
  requesting: {
    doing: 'asking for a lease',
    sends: 'REQUEST',
    to: 'everybody',
    onAck: 'probing',
    nakFrom: 'server',
    tries: 4,
    hasAddress: false,
  },
  rebooting: {
    doing: 'asking for the lease that it had',
    sends: 'REQUEST',
    to: 'everybody',
    onAck: 'probing',
    nakFrom: 'anybody',
    tries: 3,
    hasAddress: false,
  },
  probing: { doing: 'making sure that nobody else has the address', to: 'everybody', hasAddress: false },
  bound: { doing: '', to: 'server', hasAddress: true },
  renewing: {
    doing: 'renewing the lease',
    sends: 'REQUEST',
    to: 'server',
    onAck: 'bound',
    nakFrom: 'server',
    hasAddress: true,
  },
  rebinding: {
    doing: 'renewing the lease with any server',
    sends: 'REQUEST',
    to: 'everybody',
    onAck: 'bound',
    nakFrom: 'anybody',
    hasAddress: true,
  },
};

/** RFC 2131 section 4.1 doubles from 4 s to 64 s; two earlier ones, for ports that forward only a moment after their carrier. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 64_000;
/** Plus or minus, as that section has it, and never more than a quarter. */
const MOST_JITTER = 1000;

/** After a conflict (RFC 2131 section 3.1, step 5). */
export const CONFLICT_PAUSE = 10_000;

/** Before the message behind the `sent`-th of a state (1 for the first). */
export function retransmission(sent: number, random: RandomSource): number {
  const base = Math.min(FIRST_PAUSE * 2 ** Math.min(sent - 1, 16), LONGEST_PAUSE);
  return base + jitter(Math.min(MOST_JITTER, base / 4), random);
}

/** Before INIT after so many setbacks in a row: none after the first, then longer and longer. */
export function setbackPause(setbacks: number, random: RandomSource): number {
  return setbacks <= 1 ? 0 : retransmission(setbacks - 1, random);
}

/** Half of what is left, but no less than a minute (RFC 2131 section 4.4.5), and a tenth of a lease of less than ten. */
export function renewalPause(now: Instant, end: Instant, leaseMs: number): number {
  const least = Math.min(60_000, leaseMs / 10);
  return Math.max((end - now) / 2, least);
}

function jitter(most: number, random: RandomSource): number {
  const [high = 0, low = 0] = random.bytes(2);
  return Math.round((((high << 8) | low) / 0xffff) * 2 * most - most);
}
