/** The DSL line in front of an interface, as the status tells it. */
import type { DslLineStatus } from '../api/router-control.ts';
import { DSL_STATE_WORDS, type DslState } from '../protocol/dsl/dsl-status.ts';
import type { DslInfo } from '../uplink/dsl/dsl-line.ts';

const REMEDIES: Readonly<Record<Exclude<DslState, 'showtime'>, string>> = {
  idle: 'check the cable between the modem and the socket of the line; ask the provider if it stays so',
  handshake:
    'wait a minute; if it goes on, check that the modem fits the line (ADSL or VDSL, annex) and ask the provider',
  training: 'wait a minute; if it begins again and again, ask the provider to measure the line',
  failed: 'restart the modem; if it fails again, check the cable and ask the provider to measure the line',
};

export function dslLineStatus({ source, status, seenAt = 0, failure, syncs }: DslInfo): DslLineStatus {
  const told = { source, syncs: syncs.map((sync) => ({ ...sync })) };
  if (status === undefined) return { ...told, ...(failure && { reason: failure.reason, remedy: failure.remedy }) };
  const { upSeconds, down, up, ...rest } = status;
  const line = {
    ...rest,
    down: { ...down, ...(down.errors && { errors: { ...down.errors } }) },
    up: { ...up, ...(up.errors && { errors: { ...up.errors } }) },
    ...(upSeconds !== undefined && status.state === 'showtime' && { upSince: seenAt - upSeconds * 1000 }),
    seenAt,
  };
  return { ...told, line, ...trouble(status.state, status.stateWords) };
}

function trouble(state: DslState, stateWords: string): Pick<DslLineStatus, 'reason' | 'remedy'> {
  if (state === 'showtime') return {};
  return {
    reason: `the line is not up: ${DSL_STATE_WORDS[state]} (the modem says "${stateWords}")`,
    remedy: REMEDIES[state],
  };
}
