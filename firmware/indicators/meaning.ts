/** From the state of the router to what each LED says. Pure; all of it is in these tables. */
import type { BoardLed, LedPurpose } from '../../board/board.ts';
import type { Condition, LteCondition, Phase, VpnCondition, WanCondition } from './condition.ts';
import type { Pattern } from './pattern.ts';

/** What takes all LEDs for a while. */
export type Signal =
  | { readonly kind: 'identify' }
  /** The reset button is held; `left`: seconds until it may be let go for a factory reset, 4 to 1. */
  | { readonly kind: 'countdown'; readonly left: number }
  /** Letting go of it resets to the factory state. */
  | { readonly kind: 'armed' }
  /** A bundle of provisioning. */
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused' };

export interface Meaning {
  readonly pattern: Pattern;
  /** One sentence without a full stop. */
  readonly why: string;
}

/** As people ask for it. */
export const PURPOSE_WORDS: Readonly<Record<LedPurpose, string>> = {
  power: 'power',
  wan: 'WAN',
  vpn: 'VPN',
  lte: 'LTE signal',
  lan: 'LAN',
  status: 'first trouble',
};

const DARK: Pattern = { kind: 'dark' };
const LIT: Pattern = { kind: 'lit' };

function blink(onMs: number, offMs = onMs): Pattern {
  return { kind: 'blink', onMs, offMs };
}

/** OpenWrt's habits, so that nobody has to learn new ones. */
const PHASES: Readonly<Record<Phase, Meaning>> = {
  booting: { pattern: blink(100), why: 'the router starts' },
  failsafe: { pattern: blink(50), why: 'failsafe: the factory configuration is in force' },
  upgrading: { pattern: blink(200), why: 'new firmware is being written: leave the power on' },
  ready: { pattern: LIT, why: 'the router runs' },
};

const WAN: Readonly<Record<WanCondition['state'], Pattern>> = {
  off: DARK,
  dialling: blink(500),
  up: LIT,
  // Mostly lit: the branch is connected.
  degraded: blink(1800, 200),
};

const VPN: Readonly<Record<Exclude<VpnCondition['state'], 'failed'>, Pattern>> = {
  off: DARK,
  negotiating: blink(500),
  up: LIT,
};

/** Faster and faster, by the seconds that are left. */
const COUNTDOWN_MS: Readonly<Record<number, number>> = { 4: 500, 3: 300, 2: 150, 1: 80 };

/** @param carrier whether a network device has a link. */
export function meaningOf(
  led: Pick<BoardLed, 'purpose' | 'nic'>,
  condition: Condition,
  signal: Signal | undefined,
  carrier: (device: string) => boolean,
): Meaning {
  if (signal !== undefined) return signalMeaning(signal);
  const { phase, wan, vpn, lte } = condition;
  if (led.purpose === 'power') return PHASES[phase];
  if (phase === 'booting' || phase === 'upgrading') return { pattern: DARK, why: PHASES[phase].why };
  switch (led.purpose) {
    case 'wan':
      return { pattern: WAN[wan.state], why: wan.why };
    case 'vpn':
      return vpnMeaning(vpn);
    case 'lte':
      return lteMeaning(lte);
    case 'lan':
      return lanMeaning(led.nic ?? condition.lanDevice, carrier);
    case 'status':
      return firstTrouble(condition);
  }
}

function vpnMeaning(vpn: VpnCondition): Meaning {
  if (vpn.state !== 'failed') return { pattern: VPN[vpn.state], why: vpn.why };
  return { pattern: { kind: 'count', count: vpn.stage ?? 1 }, why: vpn.why };
}

function lteMeaning({ state, bars, why }: LteCondition): Meaning {
  if (state === 'none') return { pattern: DARK, why };
  if (state === 'searching') return { pattern: blink(100, 900), why };
  return { pattern: bars === undefined || bars >= 5 ? LIT : { kind: 'count', count: Math.max(1, bars) }, why };
}

function lanMeaning(nic: string | undefined, carrier: (device: string) => boolean): Meaning {
  if (nic === undefined) return { pattern: DARK, why: 'there is no LAN in the configuration' };
  const link = carrier(nic);
  return { pattern: { kind: 'netdev', device: nic, link }, why: `${nic} has ${link ? 'a' : 'no'} link` };
}

/** The first thing that somebody should see to; lit when there is none. */
function firstTrouble(condition: Condition): Meaning {
  const { phase, wan, vpn } = condition;
  if (phase !== 'ready') return PHASES[phase];
  // A branch without a WAN in its configuration has no trouble there, and is nothing to be proud of either.
  if (wan.state !== 'up') return { pattern: WAN[wan.state], why: wan.why };
  if (vpn.state === 'failed' || vpn.state === 'negotiating') return vpnMeaning(vpn);
  return { pattern: LIT, why: `${wan.why}; ${vpn.why}` };
}

function signalMeaning(signal: Signal): Meaning {
  switch (signal.kind) {
    case 'identify':
      return { pattern: blink(250), why: 'somebody looks for this router' };
    case 'countdown':
      return {
        pattern: blink(COUNTDOWN_MS[signal.left] ?? 500),
        why: `the reset button is held: in ${signal.left} s letting go of it will reset to the factory state`,
      };
    case 'armed':
      return { pattern: LIT, why: 'letting go of the reset button now resets to the factory state' };
    case 'accepted':
      return { pattern: LIT, why: 'a bundle was accepted' };
    case 'refused':
      return { pattern: blink(60), why: 'a bundle was refused: the console says why' };
  }
}
