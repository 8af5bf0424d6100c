/** What of the router its LEDs can tell, as little as that is. */
import { findingOf } from '../diagnosis/catalogue/catalogue.ts';
import { type LadderStep, STEP_TITLES } from '../diagnosis/ladder.ts';
import type { Failure } from '../protocol/machine.ts';
import type { ConnectionState } from '../vpn/steps.ts';

export interface Condition {
  readonly phase: Phase;
  readonly wan: WanCondition;
  readonly vpn: VpnCondition;
  readonly lte: LteCondition;
  /** The network device of the LAN. */
  readonly lanDevice?: string;
}

export type Phase = 'booting' | 'failsafe' | 'upgrading' | 'ready';

/** Every `why` is one sentence without a full stop. */
export interface WanCondition {
  /** `degraded`: there is a way to the internet, and not the one that there should be. */
  readonly state: 'off' | 'dialling' | 'up' | 'degraded';
  readonly why: string;
}

export interface VpnCondition {
  readonly state: 'off' | 'negotiating' | 'up' | 'failed';
  /** While `failed`: how far it came, 1 to {@link STAGES}. */
  readonly stage?: number;
  readonly why: string;
}

export interface LteCondition {
  readonly state: 'none' | 'searching' | 'registered';
  /** While `registered`: 0 to 5; absent when nobody knows. */
  readonly bars?: number;
  readonly why: string;
}

export const NO_MODEM: LteCondition = { state: 'none', why: 'there is no modem' };

/** Steps of the ladder that have one number, since nobody counts to eighteen: 1 first. */
const STAGE_STEPS: readonly (readonly LadderStep[])[] = [
  ['configuration', 'link', 'address', 'route'],
  ['dns', 'clock'],
  ['ike'],
  ['ike-authentication'],
  ['child-sa', 'esp'],
  ['l2tp-tunnel', 'l2tp-session'],
  ['lcp', 'ppp-authentication'],
  ['ipcp', 'ipv6cp'],
  ['routes', 'traffic'],
];

export const STAGES = STAGE_STEPS.length;

/** The number of a step, 1 to {@link STAGES}. */
export function stageOf(step: LadderStep): number {
  return STAGE_STEPS.findIndex((steps) => steps.includes(step)) + 1;
}

/** A way to the internet. */
export interface WanView {
  readonly name: string;
  readonly state: ConnectionState;
  /** Why it failed. */
  readonly reason?: string;
  /** Why it is up and does badly. */
  readonly trouble?: string;
}

/** @param ways in the order of preference: what is behind the one that is up only waits for its turn. */
export function wanCondition(ways: readonly WanView[]): WanCondition {
  const [first] = ways;
  if (first === undefined) return { state: 'off', why: 'there is no way to the internet in the configuration' };
  const up = ways.findIndex(({ state }) => state === 'up');
  const way = ways[up];
  if (way !== undefined) {
    // One that was taken down by somebody is not missed.
    const missed = ways.slice(0, up).find(({ state }) => state === 'failed' || state === 'connecting');
    if (missed !== undefined) return { state: 'degraded', why: `${way.name} is up, but ${stateWords(missed)}` };
    if (way.trouble !== undefined) return { state: 'degraded', why: `${way.name} is up, but ${way.trouble}` };
    return { state: 'up', why: `${way.name} is up` };
  }
  const dialling = ways.find(({ state }) => state === 'connecting');
  if (dialling !== undefined) return { state: 'dialling', why: stateWords(dialling) };
  return { state: 'off', why: stateWords(ways.find(({ state }) => state === 'failed') ?? first) };
}

function stateWords({ name, state, reason }: WanView): string {
  if (state === 'connecting') return `${name} is being connected`;
  return state === 'failed' ? `${name} has failed${reason ? `: ${reason}` : ''}` : `${name} is down`;
}

/** A tunnel that this router keeps up. */
export interface VpnView {
  readonly name: string;
  readonly state: ConnectionState;
  /** Of the last attempt, also while the next one runs. */
  readonly failure?: Failure;
}

/** The worst of all of them; one that is down because nobody wants it is no trouble. */
export function vpnCondition(tunnels: readonly VpnView[]): VpnCondition {
  if (tunnels.length === 0) return { state: 'off', why: 'there is no tunnel in the configuration' };
  // One that is tried again is still one that does not work.
  const failed = tunnels.find(
    ({ state, failure }) => state === 'failed' || (state === 'connecting' && failure !== undefined),
  );
  if (failed !== undefined) {
    const { name, failure } = failed;
    if (failure === undefined) return { state: 'failed', stage: 1, why: `${name} has failed` };
    const { step } = findingOf(failure);
    return {
      state: 'failed',
      stage: stageOf(step),
      why: `${name} fails at ${STEP_TITLES[step]}: ${failure.step}: ${failure.reason}`,
    };
  }
  const negotiating = tunnels.find(({ state }) => state === 'connecting');
  if (negotiating !== undefined) return { state: 'negotiating', why: `${negotiating.name} is being connected` };
  const up = tunnels.filter(({ state }) => state === 'up').map(({ name }) => name);
  if (up.length === 0) return { state: 'off', why: 'no tunnel is wanted at the moment' };
  return { state: 'up', why: `${up.join(', ')} ${up.length === 1 ? 'is' : 'are'} up` };
}
