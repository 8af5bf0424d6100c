/** What people have to know about the configuration in force, when there is something. */
import type { ConfigurationState } from '../api/configuration-control.ts';
import { durationText } from './units-text.ts';

/** Empty when all is as it should be. */
export function configurationStateText(state: ConfigurationState | undefined): readonly string[] {
  switch (state?.state) {
    case 'pending':
      return [pendingText(state)];
    case 'recovered':
      return [`the configuration was recovered: ${why(state)}`];
    case 'failsafe':
      return [`FAILSAFE, the router serves its LAN only: ${why(state)}`];
    case 'factory':
      return ['no configuration is in force yet: "configure" or "culvert apply FILE" gives one'];
    default:
      return [];
  }
}

function pendingText({ revision, who, secondsLeft = 0, parent = 0 }: ConfigurationState): string {
  const before = parent === 0 ? 'the factory configuration' : `revision ${parent}`;
  const by = who === undefined ? '' : ` of ${who}`;
  return (
    `revision ${revision}${by} waits for its confirmation: ${before} comes back in ${durationText(secondsLeft)}; ` +
    'keep it with "culvert confirm"'
  );
}

function why({ reason, remedy }: ConfigurationState): string {
  return [reason, remedy].filter((sentence) => sentence !== undefined).join('; ');
}
