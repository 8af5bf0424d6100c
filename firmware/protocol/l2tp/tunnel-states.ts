/**
 * Control connection states (RFC 2661 section 7.2.1).
 *
 * The RFC's `idle` behind a "clean up" is `closing` here: everything of the tunnel is gone but its reliable delivery,
 * which goes on for a while (section 5.7). `gone` is where there is nobody left to deliver to.
 */
import type { Transition } from './transition-table.ts';

export type ControlConnectionState = 'idle' | 'wait-reply' | 'wait-connect' | 'established' | 'closing' | 'gone';

export type ControlConnectionEvent =
  | 'local open'
  | 'local close'
  | 'SCCRQ'
  | 'SCCRQ, lose tie-breaker'
  | 'SCCRP'
  | 'SCCRP, not acceptable'
  | 'SCCCN'
  | 'SCCCN, not acceptable'
  | 'StopCCN'
  /** A message about the tunnel that sections 4.2 and 7.1 call fatal. */
  | 'invalid message'
  /** The timers of sections 5.8 and 5.5, and the time that establishment may take. */
  | 'no answer';

export type ControlConnectionAction =
  | 'send SCCRQ'
  | 'send SCCRP'
  | 'send SCCCN, open sessions'
  | 'open sessions'
  | 'send StopCCN, clean up'
  | 'clean up';

type Row = Transition<ControlConnectionState, ControlConnectionEvent, ControlConnectionAction>;

/** Section 7.2.1. An SCCRQ that is not acceptable, and an SCCRP or SCCCN out of nowhere, never make a tunnel. */
export const CONTROL_CONNECTION: readonly Row[] = [
  { from: ['idle'], event: 'local open', action: 'send SCCRQ', to: 'wait-reply' },
  { from: ['idle'], event: 'SCCRQ', action: 'send SCCRP', to: 'wait-connect' },

  { from: ['wait-reply'], event: 'SCCRP', action: 'send SCCCN, open sessions', to: 'established' },
  { from: ['wait-reply'], event: 'SCCRP, not acceptable', action: 'send StopCCN, clean up', to: 'closing' },
  { from: ['wait-reply'], event: 'SCCRQ, lose tie-breaker', action: 'clean up', to: 'gone' },
  { from: ['wait-reply'], event: 'SCCCN', action: 'send StopCCN, clean up', to: 'closing' },

  { from: ['wait-connect'], event: 'SCCCN', action: 'open sessions', to: 'established' },
  { from: ['wait-connect'], event: 'SCCCN, not acceptable', action: 'send StopCCN, clean up', to: 'closing' },
  { from: ['wait-connect'], event: 'SCCRP', action: 'send StopCCN, clean up', to: 'closing' },
  { from: ['wait-connect'], event: 'SCCRQ', action: 'send StopCCN, clean up', to: 'closing' },

  { from: ['established'], event: 'SCCRQ', action: 'send StopCCN, clean up', to: 'closing' },
  { from: ['established'], event: 'SCCRP', action: 'send StopCCN, clean up', to: 'closing' },
  { from: ['established'], event: 'SCCCN', action: 'send StopCCN, clean up', to: 'closing' },

  ...everywhere('local close', 'send StopCCN, clean up', 'closing'),
  ...everywhere('invalid message', 'send StopCCN, clean up', 'closing'),
  ...everywhere('StopCCN', 'clean up', 'closing'),
  ...everywhere('no answer', 'clean up', 'gone'),
];

function everywhere(
  event: ControlConnectionEvent,
  action: ControlConnectionAction,
  to: ControlConnectionState,
): readonly Row[] {
  return [{ from: ['wait-reply', 'wait-connect', 'established'], event, action, to }];
}
