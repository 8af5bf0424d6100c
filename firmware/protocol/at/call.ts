/** The data call: dial, and come back from it. */
import { GUARD_MS } from './engine.ts';
import { CALL_LOST, callFailed, NO_ANSWER } from './modem-failures.ts';
import type { ModemState } from './modem-state.ts';
import type { AtChannel } from './modem-types.ts';
import { cause } from './network.ts';
import type { AtReply } from './results.ts';
import { ask, ModemFault, pause, type Script } from './script.ts';

/** The network may take its time to set the context up. */
const DIAL_MS = 60_000;
const HANG_UP_MS = 10_000;
/** A call that ended sooner was not worth one, ms: what is wrong may be the modem. */
const SHORT_CALL_MS = 20_000;
/** Context 1 (3GPP TS 27.007 section 10.2.1.1); the short form for modems that know that alone. */
const DIAL_STRINGS = ['ATD*99***1#', 'ATD*99#'];

/** Rungs of the ladder by strikes; dialling again is what the uplink does by itself. */
const RADIO_CYCLE_AT = 3;
const MODULE_RESET_AT = 5;
const POWER_CYCLE_AT = 7;
const RADIO_OFF_MS = 3_000;
/** What a module takes to be gone after it was told to begin anew, ms. */
const RESET_MS = 30_000;

function channelOf(state: ModemState): AtChannel {
  return state.twoChannels ? 'data' : 'control';
}

/** @throws ModemFault when the call does not come about. */
export function* dial(state: ModemState): Script {
  state.say('dialling');
  state.dialling = true;
  try {
    yield* connect(state);
  } finally {
    state.dialling = false;
  }
}

function* connect(state: ModemState): Script {
  const said = state.ethernet ? yield* switchOn(state) : yield* call(state);
  state.online = true;
  state.onlineSince = state.now;
  state.wantsCall = false;
  state.wellAgain();
  state.outputs.push({ kind: 'connected', peer: said });
  state.say('carrying data');
}

/** The network interface of the modem instead of a call. @throws ModemFault */
function* switchOn(state: ModemState): Script<string> {
  const { ethernet, vendor } = state.quirks;
  if (ethernet !== undefined) {
    const reply = yield* ask(ethernet.up, { timeoutMs: DIAL_MS });
    if (reply.result !== 'OK') throw new ModemFault(callFailed(reply.text, yield* cause(), state.apn), 'recover');
  }
  return `the network interface of the modem (${vendor})`;
}

/** @returns what CONNECT said. @throws ModemFault */
function* call(state: ModemState): Script<string> {
  const channel = channelOf(state);
  if (channel === 'data') yield* prepareDataChannel();
  let reply: AtReply | undefined;
  for (const text of DIAL_STRINGS) {
    reply = yield* ask(text, { dials: true, timeoutMs: DIAL_MS }, channel);
    // A modem that knows only the short form refuses the other one without a reason.
    if (reply.result !== 'ERROR' || reply.code !== undefined) break;
  }
  if (reply?.result !== 'CONNECT')
    throw new ModemFault(callFailed(reply?.text ?? '', yield* cause(), state.apn), 'recover');
  return reply.text;
}

/** The second port has settings of its own, and may still be in a call that nobody knows of. @throws ModemFault */
function* prepareDataChannel(): Script {
  for (let tries = 0; tries < 3; tries++) {
    const reply = yield* ask('ATE0V1', { timeoutMs: 1_500 }, 'data');
    if (reply.result === 'OK') {
      yield* ask('ATX4&C1', {}, 'data');
      return;
    }
    yield { want: 'escape', channel: 'data' };
    yield* ask('ATH', { dials: true, timeoutMs: HANG_UP_MS }, 'data');
  }
  throw new ModemFault(NO_ANSWER, 'recover');
}

/** Back to commands. The call may have ended by itself meanwhile, which comes to the same. */
export function* hangUp(state: ModemState): Script {
  const channel = channelOf(state);
  if (state.online) {
    state.say('hanging up');
    state.online = false;
    if (state.now - state.onlineSince < SHORT_CALL_MS) state.strikes += 1;
    else state.strikes = 0;
    yield* goBack(state, channel);
  }
  state.wantsHangUp = false;
  state.outputs.push({ kind: 'hung-up' });
  state.changed();
}

function* goBack({ ethernet, quirks }: ModemState, channel: AtChannel): Script {
  if (ethernet) {
    if (quirks.ethernet !== undefined) yield* ask(quirks.ethernet.down, { timeoutMs: HANG_UP_MS });
    return;
  }
  // A call that has ended by itself, or does so now, leaves the line with commands, and needs no escape, which takes seconds.
  const { result } = yield* ask('AT', { timeoutMs: GUARD_MS, dials: true }, channel);
  if (result === 'timeout') yield { want: 'escape', channel };
  yield* ask('ATH', { dials: true, timeoutMs: HANG_UP_MS }, channel);
}

/** The modem has said NO CARRIER. */
export function callLost(state: ModemState): void {
  if (state.now - state.onlineSince >= SHORT_CALL_MS) state.strikes = 0;
  state.lineEnded(CALL_LOST);
}

/**
 * One strike more, and what that rung of the ladder does: nothing at first, then the radio off and on, then the module anew, then its
 * power. After the last rung it begins from below.
 */
export function* climb(state: ModemState): Script {
  state.strikes += 1;
  if (state.strikes === RADIO_CYCLE_AT) {
    state.log('the modem is helped: its radio is switched off and on');
    state.say('switching the radio off and on');
    yield* ask('AT+CFUN=4', { timeoutMs: 15_000 });
    yield* wholePause(state, RADIO_OFF_MS);
    yield* ask('AT+CFUN=1', { timeoutMs: 15_000 });
  } else if (state.strikes === MODULE_RESET_AT) {
    state.log('the modem is helped: it is told to begin anew');
    state.say('waiting for the modem to begin anew');
    yield* ask(state.quirks.reset, { timeoutMs: 15_000 });
    yield* wholePause(state, RESET_MS);
  } else if (state.strikes >= POWER_CYCLE_AT) {
    state.strikes = 0;
    state.say('switching the power of the modem off and on');
    const done = (yield { want: 'decision', output: { kind: 'power-cycle' } }) === true;
    state.log(`the modem is helped: ${done ? 'its power was off for a moment' : 'nothing here can switch its power'}`);
    if (done) yield* wholePause(state, RESET_MS);
  }
}

function* wholePause(state: ModemState, ms: number): Script {
  for (const end = state.now + ms; state.now < end; ) yield* pause(end - state.now);
}
