/** Unsolicited result codes: lines that no command has asked for, and that come whenever the modem likes. */

/** Whole lines. */
const LINES = new Set([
  'RDY',
  'RING',
  'NO CARRIER',
  'POWERED DOWN',
  'NORMAL POWER DOWN',
  'SMS READY',
  'SMS DONE',
  'PB DONE',
  'CALL READY',
  'START',
  '*ATREADY: 1',
  '^SIMST:1',
]);

/** Beginnings. An answer that begins so is one only while a command expects it. */
const BEGINNINGS = [
  '+CREG:',
  '+CGREG:',
  '+CEREG:',
  '+C5GREG:',
  '+CGEV:',
  '+CMTI:',
  '+CMT:',
  '+CDS:',
  '+CDSI:',
  '+CBM:',
  '+CUSD:',
  '+CRING:',
  '+CLIP:',
  '+CPIN:',
  '+CSQ:',
  '+CTZV:',
  '+CTZE:',
  '+NITZ:',
  '+CIEV:',
  '+CFUN:',
  '+QIND:',
  '+QUSIM:',
  '+QSIMSTAT:',
  '+QNETDEVSTATUS:',
  '+SIMCARD:',
  '+CPSI:',
  '+CGURC:',
  '+CNSMOD:',
  '+SIMEI:',
  '*PSUTTZ:',
  'DST:',
  '^RSSI:',
  '^HCSQ:',
  '^MODE:',
  '^SRVST:',
  '^SIMST:',
  '^BOOT:',
  '^DSFLOWRPT:',
  '^NDISSTAT:',
  '^STIN:',
  '^RFSWITCH:',
  '^LWURC:',
  '^EONS:',
  '^CERSSI:',
  '^ANLEVEL:',
  '^DATACONNECT',
  '$QCRMCALL:',
];

/** What a modem says when it has begun anew. */
const RESETS = new Set(['RDY', 'POWERED DOWN', 'NORMAL POWER DOWN', 'START', '*ATREADY: 1', '^SYSSTART']);

export function isUrc(line: string): boolean {
  return LINES.has(line.toUpperCase()) || BEGINNINGS.some((beginning) => line.startsWith(beginning));
}

/** Whether everything that was set in the modem is forgotten by this. */
export function saysReset(line: string): boolean {
  return RESETS.has(line);
}

/**
 * Whether a line of +CREG, +CGREG or +CEREG came unasked: the answer to a question has the mode before the state, and both are bare
 * numbers (3GPP TS 27.007 section 7.2).
 */
export function isUnaskedRegistration(line: string): boolean {
  return /^\+C(E|G|5G)?REG: ?\d+(?! ?, ?\d+(,|$))/.test(line);
}
