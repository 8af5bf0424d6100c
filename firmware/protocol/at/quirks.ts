/** What the makers of modems do differently, as data: ports, commands beside the standard ones, and how a module is begun anew. */
import { CESQ, CPSI, CSQ, GSTATUS, HCSQ, QCSQ, type SignalQuery } from './signal.ts';

/** Which interface of a USB device speaks AT, and which carries the data. */
export interface UsbPorts {
  /** `2c7c:0125` */
  readonly id: string;
  readonly model: string;
  /** bInterfaceNumber. */
  readonly at: number;
  readonly data: number;
}

export interface Quirks {
  readonly vendor: string;
  /** Found in the answer to AT+CGMI or ATI, in small letters. */
  readonly names: readonly string[];
  readonly ports: readonly UsbPorts[];
  /** The vendor's half of USB ids, for models that are not in {@link ports}. */
  readonly usbVendor?: string;
  /** Sent after the standard ones when it is set up; refusals do not matter. */
  readonly setUp: readonly string[];
  /** Asked in order until one is known to the modem; how its lines begin. */
  readonly iccid: readonly (readonly [command: string, expect: string])[];
  /** Asked in order until one says something. */
  readonly signal: readonly SignalQuery[];
  /** Band of the cell, and where it stands in the answer. */
  readonly band?: { readonly command: string; readonly expect: string; readonly pattern: RegExp };
  /** How often the PIN may still be tried, and where the number stands in the answer. */
  readonly pinTries: { readonly command: string; readonly expect: string; readonly pattern: RegExp };
  /** Begins the module anew. */
  readonly reset: string;
  /** The network interface of the modem instead of PPP, for context 1; absent where we know no way by AT. */
  readonly ethernet?: { readonly up: string; readonly down: string };
}

/** 3GPP TS 27.007 section 8.65, which many modems lack. */
const CPINR = { command: 'AT+CPINR="SIM PIN"', expect: '+CPINR:', pattern: /^\+CPINR: ?"?SIM PIN"?, ?(\d+)/ } as const;
const CCID: readonly (readonly [string, string])[] = [
  ['AT+CCID', '+CCID:'],
  ['AT+ICCID', '+ICCID:'],
];

/** What any modem is taken for until it has said who made it. */
export const GENERIC: Quirks = {
  vendor: 'generic',
  names: [],
  ports: [],
  setUp: [],
  iccid: CCID,
  signal: [CESQ, CSQ],
  pinTries: CPINR,
  reset: 'AT+CFUN=1,1',
};

const VENDORS: readonly Quirks[] = [
  {
    vendor: 'Quectel',
    names: ['quectel'],
    usbVendor: '2c7c',
    ports: [
      { id: '2c7c:0125', model: 'EC25/EG25', at: 2, data: 3 },
      { id: '2c7c:0121', model: 'EC21', at: 2, data: 3 },
      { id: '2c7c:0191', model: 'EG91', at: 2, data: 3 },
      { id: '2c7c:0195', model: 'EG95', at: 2, data: 3 },
      { id: '2c7c:0306', model: 'EP06/EG06', at: 2, data: 3 },
      { id: '2c7c:0512', model: 'EG12/EG18', at: 2, data: 3 },
      { id: '2c7c:0296', model: 'BG96', at: 2, data: 3 },
    ],
    setUp: ['AT+QURCCFG="urcport","usbat"'],
    iccid: [['AT+QCCID', '+QCCID:'], ...CCID],
    signal: [QCSQ, CESQ, CSQ],
    band: {
      command: 'AT+QNWINFO',
      expect: '+QNWINFO:',
      pattern: /"([^"]*BAND[^"]*)"/,
    },
    pinTries: { command: 'AT+QPINC="SC"', expect: '+QPINC:', pattern: /^\+QPINC: ?"?SC"?, ?(\d+)/ },
    reset: 'AT+CFUN=1,1',
    ethernet: { up: 'AT+QNETDEVCTL=1,1,1', down: 'AT+QNETDEVCTL=1,0,0' },
  },
  {
    vendor: 'SIMCom',
    names: ['simcom', 'sim7600', 'sim7500'],
    usbVendor: '1e0e',
    ports: [
      { id: '1e0e:9001', model: 'SIM7600', at: 2, data: 3 },
      { id: '1e0e:9011', model: 'SIM7600 (RNDIS)', at: 4, data: 5 },
    ],
    // Its report of the signal comes in the middle of answers and eats them.
    setUp: ['AT+AUTOCSQ=0'],
    iccid: [['AT+CICCID', '+ICCID:'], ...CCID],
    signal: [CPSI, CESQ, CSQ],
    band: { command: 'AT+CPSI?', expect: '+CPSI:', pattern: /(?:EUTRAN-)?(BAND ?\d+)/ },
    pinTries: { command: 'AT+SPIC', expect: '+SPIC:', pattern: /^\+SPIC: ?(\d+)/ },
    reset: 'AT+CRESET',
    ethernet: { up: 'AT$QCRMCALL=1,1', down: 'AT$QCRMCALL=0,1' },
  },
  {
    vendor: 'Sierra Wireless',
    names: ['sierra'],
    usbVendor: '1199',
    ports: [
      { id: '1199:68c0', model: 'MC73xx', at: 3, data: 3 },
      { id: '1199:9071', model: 'MC74xx/EM74xx', at: 3, data: 3 },
      { id: '1199:9091', model: 'EM75xx', at: 3, data: 3 },
      { id: '1199:68a3', model: 'MC77xx', at: 3, data: 4 },
    ],
    setUp: [],
    iccid: [['AT!ICCID?', '!ICCID:'], ...CCID],
    signal: [GSTATUS, CESQ, CSQ],
    band: { command: 'AT!GSTATUS?', expect: '', pattern: /LTE band:\s*(B\d+)/ },
    pinTries: CPINR,
    reset: 'AT!RESET',
  },
  {
    vendor: 'Huawei',
    names: ['huawei'],
    usbVendor: '12d1',
    ports: [
      { id: '12d1:1506', model: 'E3276/E3372', at: 1, data: 0 },
      { id: '12d1:1573', model: 'ME909u', at: 4, data: 0 },
      { id: '12d1:15c1', model: 'ME909s', at: 2, data: 0 },
      { id: '12d1:1001', model: 'E1xx', at: 2, data: 0 },
    ],
    setUp: ['AT^CURC=0'],
    iccid: [['AT^ICCID?', '^ICCID:'], ...CCID],
    signal: [HCSQ, CESQ, CSQ],
    pinTries: { command: 'AT^CPIN?', expect: '^CPIN:', pattern: /^\^CPIN: ?(?:SIM PIN|READY),\d*,\d+,\d+,(\d+)/ },
    reset: 'AT^RESET',
    ethernet: { up: 'AT^NDISDUP=1,1', down: 'AT^NDISDUP=1,0' },
  },
];

/** Of what a modem calls itself; {@link GENERIC} for the others. */
export function quirksOf(said: string): Quirks {
  const small = said.toLowerCase();
  return VENDORS.find(({ names }) => names.some((name) => small.includes(name))) ?? GENERIC;
}

/** Of a USB id. @returns `undefined` for a vendor that is in no table. */
export function quirksOfUsb(id: string): { readonly quirks: Quirks; readonly ports: UsbPorts | undefined } | undefined {
  const quirks = VENDORS.find(({ usbVendor }) => usbVendor !== undefined && id.startsWith(`${usbVendor}:`));
  return quirks && { quirks, ports: quirks.ports.find((ports) => ports.id === id) };
}
