/** By which mode this side begins. */
import type { Instant } from '../../machine.ts';
import { AggressiveModeInitiator } from './aggressive-mode-initiator.ts';
import { MainModeInitiator } from './main-mode-initiator.ts';
import type { Phase1Context } from './phase1.ts';
import type { Phase1InitiatorOptions } from './phase1-initiator.ts';

export function beginPhase1(
  now: Instant,
  context: Phase1Context,
  options: Phase1InitiatorOptions,
): MainModeInitiator | AggressiveModeInitiator {
  const Mode = options.connection.aggressive === true ? AggressiveModeInitiator : MainModeInitiator;
  return new Mode(now, context, options);
}
