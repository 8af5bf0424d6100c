/** What the simulated modem answers. */
import type { ModuleState } from './simulated-modem.ts';

export interface CommandAnswer {
  readonly lines: readonly string[];
  readonly final: string;
  readonly afterMs?: number;
  readonly prompt?: boolean;
  readonly restart?: boolean;
}

const OK: CommandAnswer = { lines: [], final: 'OK' };
const ERROR: CommandAnswer = { lines: [], final: 'ERROR' };

const said = (...lines: string[]): CommandAnswer => ({ lines, final: 'OK' });
const refused = (code: number): CommandAnswer => ({ lines: [], final: `+CME ERROR: ${code}` });

const MAKERS = {
  quectel: ['Quectel', 'EC25', 'EC25EFAR06A03M4G'],
  simcom: ['SIMCOM INCORPORATED', 'SIMCOM_SIM7600E-H', 'LE11B12SIM7600M22'],
  huawei: ['huawei', 'ME909s-120', '11.617.01.00.00'],
  generic: ['LabModem', 'LTE-SIM-1', '1.0'],
} as const;

export function answerOf(text: string, state: ModuleState, registration: number): CommandAnswer {
  const command = text.slice(2);
  const upper = command.toUpperCase();
  return (
    identity(upper, state) ??
    sim(upper, state) ??
    vendorOnly(upper, state) ??
    radio(upper, state, registration) ??
    messages(upper, state) ??
    calls(command, state, registration) ??
    (/^(|Z|H0?|[EVXQ&].*|\+CMEE=\d)$/.test(upper) ? OK : ERROR)
  );
}

function identity(command: string, { traits }: ModuleState): CommandAnswer | undefined {
  const [manufacturer, model, revision] = MAKERS[traits.vendor];
  switch (command) {
    case 'I':
      return said(`Manufacturer: ${manufacturer}`, `Model: ${model}`, `Revision: ${revision}`, `IMEI: ${traits.imei}`);
    case '+CGMI':
      return traits.vendor === 'generic' ? ERROR : said(manufacturer);
    case '+CGMM':
      return said(model);
    case '+CGMR':
      return said(traits.vendor === 'simcom' ? `+CGMR: ${revision}` : revision);
    case '+CGSN':
      return said(traits.imei);
    default:
      return undefined;
  }
}

function sim(command: string, state: ModuleState): CommandAnswer | undefined {
  const { traits } = state;
  if (command === '+CPIN?') {
    if (!traits.sim) return refused(10);
    return said(`+CPIN: ${state.locked ? (traits.pinTries <= 0 ? 'SIM PUK' : 'SIM PIN') : 'READY'}`);
  }
  const pin = /^\+CPIN="?(\d+)"?$/.exec(command)?.[1];
  if (pin !== undefined) {
    if (!state.locked) return refused(3);
    if (traits.pinTries <= 0) return refused(12);
    state.locked = pin !== traits.pin;
    traits.pinTries = state.locked ? traits.pinTries - 1 : 3;
    return state.locked ? refused(traits.pinTries > 0 ? 16 : 12) : OK;
  }
  if (command === '+CIMI') return !traits.sim ? refused(10) : state.locked ? refused(11) : said(traits.imsi);
  if (command === '+CCID') return traits.sim ? said(`+CCID: ${traits.iccid}`) : refused(10);
  return undefined;
}

function vendorOnly(command: string, { traits }: ModuleState): CommandAnswer | undefined {
  switch (`${traits.vendor} ${command}`) {
    case 'quectel +QCCID':
      return traits.sim ? said(`+QCCID: ${traits.iccid}`) : refused(10);
    case 'quectel +QPINC="SC"':
      return said(`+QPINC: "SC",${traits.pinTries},10`);
    case 'quectel +QCSQ':
      return said('+QCSQ: "LTE",-52,-81,195,-10');
    case 'quectel +QNETDEVCTL=1,1,1':
    case 'quectel +QNETDEVCTL=1,0,0':
      return OK;
    case 'quectel +QNWINFO':
      return said('+QNWINFO: "FDD LTE","26201","LTE BAND 3",1300');
    case 'simcom +CICCID':
      return traits.sim ? said(`+ICCID: ${traits.iccid}`) : refused(10);
    case 'simcom +SPIC':
      return said(`+SPIC: ${traits.pinTries},10,3,10`);
    case 'simcom +AUTOCSQ=0':
      return OK;
    case 'simcom +CPSI?':
      return said('+CPSI: LTE,Online,262-01,0x5A1E,187214780,257,EUTRAN-BAND3,1850,5,5,-94,-850,-545,15');
    case 'huawei ^CURC=0':
      return OK;
    case 'huawei ^ICCID?':
      return traits.sim ? said(`^ICCID: ${traits.iccid}`) : refused(10);
    case 'huawei ^HCSQ?':
      return said('^HCSQ:"LTE",43,37,131,20');
    case 'simcom +CRESET':
    case 'huawei ^RESET':
    case 'quectel +CFUN=1,1':
    case 'generic +CFUN=1,1':
      return { ...OK, restart: true };
    default:
      return undefined;
  }
}

function radio(command: string, state: ModuleState, registration: number): CommandAnswer | undefined {
  const { traits } = state;
  const functions = /^\+CFUN=(\d)$/.exec(command)?.[1];
  if (functions !== undefined) {
    state.radio = functions === '1';
    return OK;
  }
  if (command === '+CSQ') return said(`+CSQ: ${traits.csq},99`);
  if (command === '+CESQ') return traits.vendor === 'generic' ? ERROR : said('+CESQ: 99,99,255,255,20,46');
  const asked = /^\+(C[GE]?REG)(\?|=\d)$/.exec(command);
  if (asked !== null) {
    const [, domain, what] = asked;
    if (traits.oldRegistration && (domain !== 'CREG' || what === '=2')) return ERROR;
    if (what !== '?') return OK;
    return said(
      traits.oldRegistration ? `+CREG: 1,${registration}` : `+${domain}: 2,${registration},"1A2B","01C3D4E5",7`,
    );
  }
  const served = registration === 1 || registration === 5;
  if (command === '+COPS?') return said(served ? `+COPS: 0,0,"${traits.operator}",7` : '+COPS: 0');
  if (command === '+CEER') return said(`+CEER: ${traits.cause || 'No cause information available'}`);
  return undefined;
}

function messages(command: string, state: ModuleState): CommandAnswer | undefined {
  if (command === '+CMGF=0' || command.startsWith('+CNMI=')) return OK;
  if (command === '+CMGL=4')
    return said(...[...state.messages].flatMap(([place, pdu]) => [`+CMGL: ${place},1,,${pdu.length / 2 - 8}`, pdu]));
  const place = /^\+CMGR=(\d+)$/.exec(command)?.[1];
  if (place !== undefined) {
    const pdu = state.messages.get(Number(place));
    return pdu === undefined ? { lines: [], final: '+CMS ERROR: 321' } : said(`+CMGR: 0,,${pdu.length / 2 - 8}`, pdu);
  }
  return /^\+CMGS=\d+$/.test(command) ? { ...OK, prompt: true } : undefined;
}

function calls(command: string, state: ModuleState, registration: number): CommandAnswer | undefined {
  const { traits, contexts } = state;
  if (command.toUpperCase() === '+CGDCONT?')
    return said(...[...contexts].map(([id, [type, apn]]) => `+CGDCONT: ${id},"${type}","${apn}","",0,0`));
  const context = /^\+CGDCONT=(\d+),"(\w+)","([^"]*)"$/i.exec(command);
  if (context !== null) {
    contexts.set(context[1] ?? '', [context[2] ?? '', context[3] ?? '']);
    return OK;
  }
  const dialled = /^D\*99(?:\*\*\*(\d+))?#$/i.exec(command);
  if (dialled === null) return undefined;
  const apn = contexts.get(dialled[1] ?? '1')?.[1] ?? '';
  const served = (registration === 1 || registration === 5) && (traits.apn === '' || traits.apn === apn);
  return { lines: [], final: served ? traits.call : 'NO CARRIER', afterMs: traits.callMs };
}
