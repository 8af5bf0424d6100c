/** The words for ends of PPPoE discovery and of PPPoE sessions. */
import type { Failure } from '../machine.ts';
import { printable } from '../printable.ts';
import {
  ERROR_TAGS,
  type PppoeTag,
  TAG_AC_SYSTEM_ERROR,
  TAG_GENERIC_ERROR,
  TAG_SERVICE_NAME_ERROR,
  tagValue,
} from './tags.ts';

export function nobodyOffered(seconds: number): Failure {
  return {
    step: 'PADI',
    reason: `no access concentrator answered within ${seconds} s`,
    remedy: 'check the cable, the DSL modem (is it in bridge mode, and does it have sync?) and the VLAN tag',
    cause: 'silence',
  };
}

/** Offers came, and none was wanted. @param reasons of each, printable. */
export function noneSuited(reasons: readonly string[]): Failure {
  return {
    step: 'PADO',
    reason: `no offer suited: ${reasons.join('; ')}`,
    remedy: 'correct the service name or the access concentrator, or leave them out',
    cause: 'refused',
  };
}

export function notConfirmed(concentrator: string, seconds: number): Failure {
  return {
    step: 'PADR',
    reason: `access concentrator ${concentrator} offered a session and then did not confirm it within ${seconds} s`,
    remedy: 'wait: it may still hold a session of this line; if it lasts, ask the provider',
    cause: 'silence',
  };
}

export function noSessionId(concentrator: string): Failure {
  return {
    step: 'PADS',
    reason: `access concentrator ${concentrator} confirmed a session without giving it a number`,
    remedy: 'ask the provider',
    cause: 'refused',
  };
}

const REFUSALS: ReadonlyMap<number, Pick<Failure, 'reason' | 'remedy'>> = new Map([
  [
    TAG_SERVICE_NAME_ERROR,
    { reason: 'does not have the service that was asked for', remedy: 'correct the service name, or leave it out' },
  ],
  [
    TAG_AC_SYSTEM_ERROR,
    {
      reason: 'could not set up a session',
      remedy: 'wait: it may still hold an earlier session of this line, or have no room; if it lasts, ask the provider',
    },
  ],
  [TAG_GENERIC_ERROR, { reason: 'refused', remedy: 'see its words; if they do not help, ask the provider' }],
]);

/** What the first error tag among `tags` says; `undefined` when there is none. @param concentrator printable, in quotes. */
export function refusal(step: 'PADO' | 'PADS', concentrator: string, tags: readonly PppoeTag[]): Failure | undefined {
  const error = tags.find(({ type }) => ERROR_TAGS.includes(type));
  const words = error && REFUSALS.get(error.type);
  if (error === undefined || words === undefined) return undefined;
  return {
    step,
    reason: `access concentrator ${concentrator} ${words.reason}${spoken(error.value)}`,
    remedy: words.remedy,
    cause: 'refused',
  };
}

/** The other side has ended the session. */
export function terminated(concentrator: string, tags: readonly PppoeTag[]): Failure {
  const words = tagValue(tags, TAG_GENERIC_ERROR) ?? new Uint8Array();
  return {
    step: 'PADT',
    reason: `access concentrator ${concentrator} ended the session${spoken(words)}`,
    remedy: 'nothing: it is dialled again; providers do this once a day, or when a session of the same line begins',
  };
}

/** `: "its words"`. A first octet of zero says that there are none (RFC 2516 appendix A). */
function spoken(value: Uint8Array): string {
  return value.length === 0 || value[0] === 0 ? '' : `: "${printable(value)}"`;
}
