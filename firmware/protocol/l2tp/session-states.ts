/** Call states of both ends (RFC 2661 sections 7.4 and 7.5). `idle` is where a session ends: nothing is left of it. */
import type { Transition } from './transition-table.ts';

export type CallState = 'idle' | 'wait-tunnel' | 'wait-reply' | 'wait-connect' | 'wait-cs-answer' | 'established';

export type CallEvent =
  | 'tunnel open'
  | 'local close'
  | 'ICRQ'
  | 'ICRP'
  | 'ICCN'
  | 'CDN'
  | 'OCRQ'
  | 'OCRP'
  | 'OCCN'
  /** Of a call of the other direction: OCRQ, OCRP or OCCN in an incoming call, ICRQ, ICRP or ICCN in an outgoing one. */
  | 'message of another call'
  /** The called line has answered, and framing was detected. */
  | 'bearer up'
  /** A message about the session that sections 4.2 and 7.1 call fatal. */
  | 'invalid message'
  /** The call was not established in the time allotted. */
  | 'no answer';

export type CallAction =
  | 'send ICRQ'
  | 'send ICRP'
  | 'send ICCN'
  | 'send OCRQ'
  | 'send OCRP'
  | 'send OCCN'
  | 'wait for OCCN'
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

/** Section 7.5.1: the peer has us place a call, we are the LAC for it. */
export const LAC_OUTGOING_CALL: readonly Row[] = [
  { from: ['idle'], event: 'OCRQ', action: 'send OCRP', to: 'wait-cs-answer' },

  { from: ['wait-cs-answer'], event: 'bearer up', action: 'send OCCN', to: 'established' },
  { from: ['wait-cs-answer'], event: 'no answer', action: 'send CDN, clean up', to: 'idle' },

  ...endOfOutgoing(['wait-cs-answer', 'established']),
  { from: ['wait-cs-answer', 'established'], event: 'OCRP', action: 'send CDN, clean up', to: 'idle' },
  { from: ['wait-cs-answer', 'established'], event: 'OCCN', action: 'send CDN, clean up', to: 'idle' },
];

/** Section 7.5.2: we have the peer place a call, we are the LNS for it. */
export const LNS_OUTGOING_CALL: readonly Row[] = [
  { from: ['wait-tunnel'], event: 'local close', action: 'clean up', to: 'idle' },
  { from: ['wait-tunnel'], event: 'tunnel open', action: 'send OCRQ', to: 'wait-reply' },

  { from: ['wait-reply'], event: 'OCRP', action: 'wait for OCCN', to: 'wait-connect' },
  { from: ['wait-connect'], event: 'OCCN', action: 'prepare for data', to: 'established' },
  { from: ['wait-reply', 'wait-connect'], event: 'no answer', action: 'send CDN, clean up', to: 'idle' },

  ...endOfOutgoing(['wait-reply', 'wait-connect', 'established']),
  { from: ['wait-connect', 'established'], event: 'OCRP', action: 'send CDN, clean up', to: 'idle' },
  { from: ['wait-reply', 'established'], event: 'OCCN', action: 'send CDN, clean up', to: 'idle' },
];

function endOfOutgoing(from: readonly CallState[]): readonly Row[] {
  return [
    { from, event: 'OCRQ', action: 'send CDN, clean up', to: 'idle' },
    { from, event: 'CDN', action: 'clean up', to: 'idle' },
    ...endOf(from),
  ];
}

/** "Not acceptable" in every row of the tables, and the close requests of this side. */
function endOf(from: readonly CallState[]): readonly Row[] {
  return [
    { from, event: 'local close', action: 'send CDN, clean up', to: 'idle' },
    { from, event: 'invalid message', action: 'send CDN, clean up', to: 'idle' },
    { from, event: 'message of another call', action: 'send CDN, clean up', to: 'idle' },
  ];
}
