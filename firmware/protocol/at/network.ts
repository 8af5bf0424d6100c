/** Finding the network, and looking at it from time to time. */
import type { Instant } from '../machine.ts';
import { fields, integer } from './fields.ts';
import { noNetwork, registrationDenied, roamingRefused } from './modem-failures.ts';
import type { ModemState } from './modem-state.ts';
import { parseRegistration, REGISTRATION_DOMAINS, type RegistrationDomain, technologyOf } from './registration.ts';
import { ask, lines, ModemFault, pause, type Script } from './script.ts';
import type { SignalQuery } from './signal.ts';

/** Between two looks while there is no network, ms; what the modem announces is heard at once. */
const LOOK_MS = 2_000;
/** Without a network for so long, ms, it is told; and after so long the modem is helped. */
const TELL_MS = 60_000;
const HELP_MS = 180_000;
/** COPS may search. */
const OPERATOR_MS = 20_000;

/** Returns when there is a network that may be used. @throws ModemFault when there has been none for {@link HELP_MS}. */
export function* register(state: ModemState): Script {
  state.say('waiting for the network');
  state.domains = yield* reporting();
  const begin = state.now;
  for (;;) {
    yield* readRegistration(state);
    if (state.registered) return;
    yield* tellWhy(state, begin);
    if (state.wantsHangUp) return;
    if (state.now - begin >= HELP_MS && isHelpless(state))
      throw new ModemFault(noNetwork(state.info().bars), 'recover');
    yield* pause(LOOK_MS);
  }
}

/** Has changes announced, with area and cell where the modem can. @returns the domains that it knows. */
function* reporting(): Script<RegistrationDomain[]> {
  const known: RegistrationDomain[] = [];
  for (const domain of REGISTRATION_DOMAINS) {
    let reply = yield* ask(`AT+${domain}=2`);
    if (reply.result === 'ERROR') reply = yield* ask(`AT+${domain}=1`);
    if (reply.result === 'OK') known.push(domain);
  }
  return known;
}

function* readRegistration(state: ModemState): Script {
  for (const domain of state.domains) {
    const [line = ''] = yield* lines(`AT+${domain}?`, `+${domain}:`);
    noteRegistration(state, line);
  }
}

/** Of an answer, or of a line that came unasked. @returns whether it is one. */
export function noteRegistration(state: ModemState, line: string): boolean {
  const parsed = parseRegistration(line);
  if (parsed === undefined) return false;
  const before = JSON.stringify(state.registrations.get(parsed.domain));
  state.registrations.set(parsed.domain, parsed.registration);
  if (JSON.stringify(parsed.registration) !== before) state.changed();
  return true;
}

function* tellWhy(state: ModemState, begin: Instant): Script {
  const { state: found } = state.registration;
  if (found === 'roaming') {
    yield* readOperator(state);
    state.fail(roamingRefused(state.operator));
  } else if (found === 'denied') {
    if (state.failure?.step !== 'registration') state.fail(registrationDenied(yield* cause()));
    else if (state.wantsCall) state.fail(state.failure);
  } else if (state.now - begin >= TELL_MS) {
    yield* readSignal(state);
    state.fail(noNetwork(state.info().bars));
  }
}

/** A network that says no, or another operator's, is there: beginning anew would not change it. */
function isHelpless(state: ModemState): boolean {
  const { state: found } = state.registration;
  return found !== 'denied' && found !== 'roaming';
}

/** Why the last call or registration failed, of the network; empty when it does not say. */
export function* cause(): Script<string> {
  const [line = ''] = yield* lines('AT+CEER', '+CEER:');
  return line
    .replace(/^\+CEER: ?/, '')
    .replaceAll('"', '')
    .trim();
}

/** What is worth to be known again and again; the registration, too, for a module that began anew unheard says nothing of it. */
export function* lookAround(state: ModemState): Script {
  yield* readRegistration(state);
  yield* readSignal(state);
  yield* readOperator(state);
  const { band } = state.quirks;
  if (band !== undefined) {
    const text = (yield* lines(band.command, band.expect)).join('\n');
    const found = band.pattern.exec(text)?.[1];
    if (found !== undefined && found !== state.band) {
      state.band = found;
      state.changed();
    }
  }
}

/** The first of the modem's queries that says something; one that it refuses is not asked again. */
export function* readSignal(state: ModemState): Script {
  const all = state.quirks.signal.flatMap((query) => (state.refused.has(query.command) ? [] : [query]));
  for (const query of all) {
    const found = yield* askSignal(state, query);
    if (found === undefined) continue;
    if (JSON.stringify(found) !== JSON.stringify(state.signal)) state.changed();
    state.signal = found;
    return;
  }
  state.signal = {};
}

function* askSignal(state: ModemState, { command, expect, parse }: SignalQuery) {
  const reply = yield* ask(command, { again: 1, ...(expect !== '' && { expect }) });
  if (reply.result === 'ERROR') state.refused.add(command);
  return reply.result === 'OK' ? parse(reply.lines) : undefined;
}

export function* readOperator(state: ModemState): Script {
  const [line = ''] = yield* lines('AT+COPS?', '+COPS:', OPERATOR_MS);
  const [, , name = '', access] = fields(line);
  const technology = technologyOf(integer(access)) ?? '';
  if (name === state.operator && technology === state.accessTechnology) return;
  state.operator = name;
  state.accessTechnology = technology;
  state.changed();
}
