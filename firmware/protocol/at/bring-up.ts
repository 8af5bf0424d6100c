/** From a port that was just opened to a modem whose SIM is ready: probe, set up, identify, unlock. */
import { printable } from '../printable.ts';
import { CME_CODES } from './error-words.ts';
import { fields } from './fields.ts';
import { lastTry, NO_ANSWER, NO_SIM, PIN_BLOCKED, PIN_WANTED, PUK_WANTED, simFailed } from './modem-failures.ts';
import type { ModemState } from './modem-state.ts';
import { operatorOf } from './operators.ts';
import { GENERIC, quirksOf } from './quirks.ts';
import type { AtReply } from './results.ts';
import { ask, decide, lines, ModemFault, pause, type Script } from './script.ts';

/** Attempts of `AT` before the line is taken to be in a call that an earlier life of this router has left. */
const BEFORE_ESCAPE = 3;
const PROBE_ANSWER_MS = 900;
/** How long a SIM may take after the modem has power, and after its PIN, ms. */
const SIM_MS = 20_000;
const SIM_AGAIN_MS = 1_000;

/** Echo off, words, all results, errors in numbers, carrier as it is. A modem that refuses them all together takes most one by one. */
const SET_UP = ['ATE0', 'ATV1', 'AT+CMEE=1', 'ATX4', 'AT&C1'];

/** Asks until something answers, for `ms` at most. @throws ModemFault */
export function* probe(state: ModemState, ms: number): Script {
  state.say('waiting for the modem to answer');
  const end = state.now + ms;
  for (let tries = 1; ; tries++) {
    const reply = yield* ask('AT', { timeoutMs: PROBE_ANSWER_MS });
    if (reply.result === 'OK') return;
    if (state.now >= end) throw new ModemFault(NO_ANSWER, 'silent');
    if (tries % 10 === BEFORE_ESCAPE) {
      yield { want: 'escape', channel: 'control' };
      yield* ask('ATH', { dials: true, timeoutMs: PROBE_ANSWER_MS });
    }
  }
}

export function* setUp(state: ModemState): Script {
  state.say('setting the modem up');
  const together = yield* ask('ATE0V1+CMEE=1;X4&C1');
  if (together.result !== 'OK') for (const text of SET_UP) yield* ask(text);
  yield* identify(state);
  for (const text of state.quirks.setUp) yield* ask(text);
  // Short messages in PDU mode, announced by their place.
  yield* ask('AT+CMGF=0');
  yield* ask('AT+CNMI=2,1,0,0,0');
}

function* identify(state: ModemState): Script {
  const value = function* (text: string): Script<string> {
    const [line = ''] = yield* lines(text, '');
    return line.replace(/^\+C?GM?[IMRS]N?: ?/, '').replaceAll('"', '');
  };
  state.manufacturer = yield* value('AT+CGMI');
  state.model = yield* value('AT+CGMM');
  state.revision = yield* value('AT+CGMR');
  state.imei = (yield* value('AT+CGSN')).replace(/^IMEI:? ?/, '');
  let said = `${state.manufacturer} ${state.model}`;
  if (state.manufacturer === '' || state.model === '') {
    const all = yield* lines('ATI', '');
    const named = (name: string) =>
      all
        .find((line) => line.startsWith(`${name}:`))
        ?.slice(name.length + 1)
        .trim();
    state.manufacturer ||= named('Manufacturer') ?? all[0] ?? '';
    state.model ||= named('Model') ?? all[1] ?? '';
    state.revision ||= named('Revision') ?? '';
    state.imei ||= named('IMEI') ?? '';
    said += ` ${all.join(' ')}`;
  }
  const known = quirksOf(said);
  if (known !== GENERIC) state.quirks = known;
  state.changed();
}

/** @throws ModemFault when the SIM is not ready at the end. */
export function* unlock(state: ModemState): Script {
  state.say('asking the SIM');
  const end = state.now + SIM_MS;
  for (;;) {
    const found = yield* simState(state);
    if (found === 'ready') return yield* readSim(state);
    if (found === 'PIN wanted') {
      yield* givePin(state);
      return yield* readSim(state);
    }
    if (found !== 'busy' || state.now >= end)
      throw found === 'busy' ? new ModemFault(simFailed('it stays busy'), 'recover') : new ModemFault(NO_SIM, 'person');
    yield* pause(SIM_AGAIN_MS);
  }
}

/** @throws ModemFault for what no patience mends. */
function* simState(state: ModemState): Script<'ready' | 'PIN wanted' | 'absent' | 'busy'> {
  const reply = yield* ask('AT+CPIN?', { expect: '+CPIN:', again: 2 });
  const said = fields(reply.lines[0] ?? '')[0] ?? '';
  if (reply.code === CME_CODES.simBusy || reply.result === 'timeout') return 'busy';
  if (reply.code === CME_CODES.pinWanted || said === 'SIM PIN') return setSim(state, 'PIN wanted');
  if (reply.result === 'OK' && said === 'READY') return setSim(state, 'ready');
  if (reply.code === CME_CODES.pukWanted || said === 'SIM PUK') {
    setSim(state, 'PUK wanted');
    throw new ModemFault(PUK_WANTED, 'person');
  }
  if (reply.code === CME_CODES.noSim) return setSim(state, 'absent');
  // Neither an answer nor an error of a SIM: some modems say so before it is there.
  if (said === '' && reply.code === undefined) return 'busy';
  setSim(state, 'failed');
  const words = said === '' ? reply.text : `it wants "${printable(said)}"`;
  throw new ModemFault(simFailed(words), reply.code === CME_CODES.simFailure ? 'recover' : 'person');
}

function setSim<Sim extends ModemState['sim']>(state: ModemState, sim: Sim): Sim {
  if (state.sim !== sim) state.changed();
  state.sim = sim;
  return sim;
}

/** At most once, and never the last but one time that the SIM allows. @throws ModemFault */
function* givePin(state: ModemState): Script {
  const { pin } = state.settings;
  if (pin === undefined) throw new ModemFault(PIN_WANTED, 'person');
  yield* readIccid(state);
  const sim = state.iccid;
  const tries = yield* pinTries(state);
  if (tries !== undefined && tries <= 1) throw new ModemFault(lastTry(tries), 'person');
  if (!(yield* decide({ kind: 'may-try-pin', sim }))) throw new ModemFault(PIN_BLOCKED, 'person');
  state.say('giving the PIN');
  const reply = yield* ask(`AT+CPIN="${pin}"`, { secret: true, timeoutMs: 15_000 });
  const good = reply.result === 'OK' ? yield* becomesReady(state) : false;
  // No answer is no proof: the SIM itself is asked.
  const after = good || isRefusal(reply) ? good : yield* becomesReady(state);
  state.outputs.push({ kind: 'pin-tried', sim, good: after });
  if (!after) throw new ModemFault(state.sim === 'PUK wanted' ? PUK_WANTED : PIN_BLOCKED, 'person');
}

function isRefusal({ result, code }: AtReply): boolean {
  return result === 'ERROR' && (code === CME_CODES.wrongPin || code === CME_CODES.pukWanted);
}

function* becomesReady(state: ModemState): Script<boolean> {
  for (const end = state.now + SIM_MS; state.now < end; ) {
    try {
      const found = yield* simState(state);
      if (found === 'ready') return true;
      if (found === 'PIN wanted') return false;
    } catch (error) {
      if (error instanceof ModemFault) return false;
      throw error;
    }
    yield* pause(SIM_AGAIN_MS);
  }
  return false;
}

function* pinTries({ quirks }: ModemState): Script<number | undefined> {
  const { command, expect, pattern } = quirks.pinTries;
  const said = (yield* lines(command, expect))
    .map((line) => pattern.exec(line)?.[1])
    .find((tries) => tries !== undefined);
  return said === undefined ? undefined : Number(said);
}

/** Most modems read the serial number of a SIM without its PIN. */
function* readIccid(state: ModemState): Script {
  state.iccid = '';
  for (const [command, expect] of state.quirks.iccid) {
    const [line = ''] = yield* lines(command, expect);
    const digits = /\b(\d{18,20}F?)\b/i.exec(line)?.[1];
    if (digits === undefined) continue;
    state.iccid = digits.replace(/F$/i, '');
    return;
  }
}

function* readSim(state: ModemState): Script {
  yield* readIccid(state);
  const [line = ''] = yield* lines('AT+CIMI', '');
  state.imsi = /\b\d{14,15}\b/.exec(line)?.[0] ?? '';
  state.changed();
}

/** The context that calls use. What is there is not written again: it is kept in flash memory. */
export function* setApn(state: ModemState): Script {
  state.apn = state.settings.apn ?? operatorOf(state.imsi)?.apn ?? '';
  const contexts = yield* lines('AT+CGDCONT?', '+CGDCONT:');
  const present = contexts.map(fields).find(([id]) => id === '1');
  if (state.apn === '' && present?.[2] !== undefined) state.apn = printable(present[2]);
  state.changed();
  if (present?.[1] === 'IP' && present[2] === state.apn) return;
  yield* ask(`AT+CGDCONT=1,"IP","${state.apn}"`);
}
