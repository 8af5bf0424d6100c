/** Incoming call states of both ends (RFC 2661 section 7.4). `idle` is where a session ends: nothing is left of it. */
import type { Transition } from './transition-table.ts';

export type CallState = 'idle' | 'wait-tunnel' | 'wait-reply' | 'wait-connect' | 'established';

export type CallEvent =
  | 'tunnel open'
  | 'local close'
  | 'ICRQ'
  | 'ICRP'
  | 'ICCN'
  | 'CDN'
  /** OCRQ, OCRP or OCCN: no part of an incoming call. */
  | 'outgoing call message'
  /** A message about the session that sections 4.2 and 7.1 call fatal. */
  | 'invalid message'
  /** The call was not established in the time allotted. */
  | 'no answer';

export type CallAction =
  | 'send ICRQ'
  | 'send ICRP'
  | 'send ICCN'
  | 'prepare for data'
  | 'send CDN, clean up'
  | 'clean up';

type Row = Transition<CallState, CallEvent, CallAction>;

/** Section 7.4.1: the call is ours, we are the LAC for it. */
export const LAC_INCOMING_CALL: readonly Row[] = [
  { from: ['wait-tunnel'], event: 'local close', action: 'clean up', to: 'idle' },
  { from: ['wait-tunnel'], event: 'tunnel open', action: 'send ICRQ', to: 'wait-reply' },

  { from: ['wait-reply'], event: 'ICRP', action: 'send ICCN', to: 'established' },
  { from: ['wait-reply'], event: 'ICRQ', action: 'send CDN, clean up', to: 'idle' },
  { from: ['wait-reply'], event: 'CDN', action: 'clean up', to: 'idle' },
  { from: ['wait-reply'], event: 'ICCN', action: 'clean up', to: 'idle' },
  { from: ['wait-reply'], event: 'no answer', action: 'send CDN, clean up', to: 'idle' },

  { from: ['established'], event: 'CDN', action: 'clean up', to: 'idle' },
  { from: ['established'], event: 'ICRQ', action: 'send CDN, clean up', to: 'idle' },
  { from: ['established'], event: 'ICRP', action: 'send CDN, clean up', to: 'idle' },
  { from: ['established'], event: 'ICCN', action: 'send CDN, clean up', to: 'idle' },

  ...endOf(['wait-reply', 'established']),
];

/** Section 7.4.2: the call is the peer's, we are the LNS for it. */
export const LNS_INCOMING_CALL: readonly Row[] = [
  { from: ['idle'], event: 'ICRQ', action: 'send ICRP', to: 'wait-connect' },

  { from: ['wait-connect'], event: 'ICCN', action: 'prepare for data', to: 'established' },
  { from: ['wait-connect'], event: 'ICRQ', action: 'send CDN, clean up', to: 'idle' },
  { from: ['wait-connect'], event: 'ICRP', action: 'send CDN, clean up', to: 'idle' },
  { from: ['wait-connect'], event: 'no answer', action: 'send CDN, clean up', to: 'idle' },

  { from: ['wait-connect', 'established'], event: 'CDN', action: 'clean up', to: 'idle' },

  { from: ['established'], event: 'ICRQ', action: 'send CDN, clean up', to: 'idle' },
  { from: ['established'], event: 'ICRP', action: 'send CDN, clean up', to: 'idle' },
  { from: ['established'], event: 'ICCN', action: 'send CDN, clean up', to: 'idle' },

  ...endOf(['wait-connect', 'established']),
];

/** "Not acceptable" in every row of the two tables, and the close requests of this side. */
function endOf(from: readonly CallState[]): readonly Row[] {
  return [
    { from, event: 'local close', action: 'send CDN, clean up', to: 'idle' },
    { from, event: 'invalid message', action: 'send CDN, clean up', to: 'idle' },
    { from, event: 'outgoing call message', action: 'send CDN, clean up', to: 'idle' },
  ];
}
