/** Short messages: read what came, send what is wanted. */
import { DecodeError } from '../bytes.ts';
import type { ModemState } from './modem-state.ts';
import { ask, lines, type Script } from './script.ts';
import { parseDeliver, type SubmitPdu } from './sms/pdu.ts';

/** A message goes out when the network has room for it. */
const SEND_MS = 60_000;

/** All that the SIM holds. */
export function* readMessages(state: ModemState): Script {
  const answer = yield* lines('AT+CMGL=4', '+CMGL:', 20_000);
  for (const [at, line] of answer.entries()) if (line.startsWith('+CMGL:')) take(state, answer[at + 1] ?? '', false);
}

/** The ones that were announced (+CMTI). */
export function* readAnnounced(state: ModemState): Script {
  for (let place = state.announced.shift(); place !== undefined; place = state.announced.shift()) {
    const [, pdu = ''] = yield* lines(`AT+CMGR=${place}`, '+CMGR:');
    take(state, pdu, true);
  }
}

function take(state: ModemState, pdu: string, fresh: boolean): void {
  try {
    const sms = parseDeliver(pdu);
    state.inbox.add(sms);
    if (fresh) state.outputs.push({ kind: 'message', sms: { ...sms, missing: (sms.part?.of ?? 1) - 1 } });
    state.changed();
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    state.outputs.push({ kind: 'trace', text: `a message on the SIM is not read: ${error.message}` });
  }
}

export function* sendMessages(state: ModemState): Script {
  for (let sms = state.outgoing.shift(); sms !== undefined; sms = state.outgoing.shift()) {
    state.say('sending a message');
    let problem: string | undefined = 'the message was not sent: the modem was gone before it took it';
    try {
      problem = yield* sendOne(sms.pdus);
    } finally {
      sms.done(problem);
    }
  }
}

/** @returns why the network did not take it. */
function* sendOne(pdus: readonly SubmitPdu[]): Script<string | undefined> {
  for (const { length, hex } of pdus) {
    const reply = yield* ask(`AT+CMGS=${length}`, { payload: hex, expect: '+CMGS:', timeoutMs: SEND_MS });
    if (reply.result !== 'OK') return `the message was not sent: ${reply.text}`;
  }
  return undefined;
}
