/** How strong the signal is, of the commands that all modems have and of those that their makers have added. */
import { decimal, fields, integer } from './fields.ts';

export interface Signal {
  /** Received signal strength, dBm, -120..-25. */
  readonly rssi?: number;
  /** Power of the reference signals of LTE (RSRP) or of the code of UMTS (RSCP), dBm. */
  readonly rsrp?: number;
  /** Its quality, dB, -20..-3. */
  readonly rsrq?: number;
  /** Signal to interference and noise, dB, -20..30. */
  readonly sinr?: number;
}

/** Which command is asked, and how its answer is read. */
export interface SignalQuery {
  readonly command: string;
  /** Beginning of its lines; empty where each line has a name of its own. */
  readonly expect: string;
  /** @returns `undefined` where it says nothing, as out of coverage. */
  readonly parse: (lines: readonly string[]) => Signal | undefined;
}

/** 3GPP TS 27.007 section 8.5. */
export const CSQ: SignalQuery = {
  command: 'AT+CSQ',
  expect: '+CSQ:',
  parse: ([line = '']) => {
    const value = integer(fields(line)[0]);
    if (value === undefined || value < 0) return undefined;
    if (value <= 31) return { rssi: -113 + 2 * value };
    // RSCP of TD-SCDMA, as several makers have it.
    return value >= 100 && value <= 191 ? { rsrp: -116 + (value - 100) } : undefined;
  },
};

/** 3GPP TS 27.007 section 8.69: rxlev, ber, rscp, ecno, rsrq, rsrp. */
export const CESQ: SignalQuery = {
  command: 'AT+CESQ',
  expect: '+CESQ:',
  parse: ([line = '']) => {
    const [rxlev, , rscp, , rsrq, rsrp] = fields(line).map(integer);
    const at = (value: number | undefined, most: number, zero: number, step = 1) =>
      value === undefined || value < 0 || value > most ? undefined : zero + step * value;
    return known({
      rssi: at(rxlev, 63, -111),
      rsrp: at(rsrp, 97, -141) ?? at(rscp, 96, -121),
      rsrq: at(rsrq, 34, -20, 0.5),
    });
  },
};

/** Quectel: `+QCSQ: "LTE",-52,-81,195,-10`. */
export const QCSQ: SignalQuery = {
  command: 'AT+QCSQ',
  expect: '+QCSQ:',
  parse: ([line = '']) => {
    const [mode, ...values] = fields(line);
    const [rssi, second, third, fourth] = values.map(integer);
    if (mode === 'LTE')
      return known({ rssi, rsrp: second, sinr: third === undefined ? undefined : -20 + third / 5, rsrq: fourth });
    return mode === 'NOSERVICE' ? undefined : known({ rssi, rsrp: mode === 'WCDMA' ? second : undefined });
  },
};

/** SIMCom: `+CPSI: LTE,Online,460-11,0x5A1E,187214780,257,EUTRAN-BAND3,1850,5,5,-94,-850,-545,15`; tenths of a dB. */
export const CPSI: SignalQuery = {
  command: 'AT+CPSI?',
  expect: '+CPSI:',
  parse: ([line = '']) => {
    const parts = fields(line);
    if (parts[0] !== 'LTE' || parts.length < 14) return undefined;
    const tenths = (text: string | undefined) => {
      const value = integer(text);
      return value === undefined ? undefined : value / 10;
    };
    return known({
      rsrq: tenths(parts[10]),
      rsrp: tenths(parts[11]),
      rssi: tenths(parts[12]),
      sinr: integer(parts[13]),
    });
  },
};

/** Huawei: `^HCSQ: "LTE",43,37,131,20`, each counted from its lowest value. */
export const HCSQ: SignalQuery = {
  command: 'AT^HCSQ?',
  expect: '^HCSQ:',
  parse: ([line = '']) => {
    const [mode, ...values] = fields(line);
    const numbers = values.map(integer).map((value) => (value === undefined || value === 255 ? undefined : value));
    const at = (index: number, zero: number, step = 1) => {
      const value = numbers[index];
      return value === undefined ? undefined : zero + step * value;
    };
    if (mode === 'LTE')
      return known({ rssi: at(0, -121), rsrp: at(1, -141), sinr: at(2, -20.2, 0.2), rsrq: at(3, -20, 0.5) });
    return mode === 'NOSERVICE'
      ? undefined
      : known({ rssi: at(0, -121), rsrp: mode === 'WCDMA' ? at(1, -121) : undefined });
  },
};

/** Sierra: a table of names and values, `RSRP (dBm): -98` among them. */
export const GSTATUS: SignalQuery = {
  command: 'AT!GSTATUS?',
  expect: '',
  parse: (lines) => {
    const text = lines.join('\n');
    const value = (pattern: RegExp) => decimal(pattern.exec(text)?.[1]);
    return known({
      rssi: value(/RSSI \(dBm\):\s*(-?[\d.]+)/),
      rsrp: value(/RSRP \(dBm\):\s*(-?[\d.]+)/),
      rsrq: value(/RSRQ \(dB\):\s*(-?[\d.]+)/),
      sinr: value(/SINR \(dB\):\s*(-?[\d.]+)/),
    });
  },
};

/** Bars as telephones show them, 0..5: by RSRP where it is known, else by RSSI. */
export function bars({ rsrp, rssi }: Signal): number {
  if (rsrp !== undefined) return BARS_RSRP.filter((least) => rsrp >= least).length;
  return rssi === undefined ? 0 : BARS_RSSI.filter((least) => rssi >= least).length;
}

const BARS_RSRP = [-124, -115, -105, -95, -85];
const BARS_RSSI = [-111, -101, -91, -81, -71];

/** Without what is not known and what no radio measures. */
function known(values: { readonly [Key in keyof Signal]: number | undefined }): Signal | undefined {
  const entries = Object.entries(values).flatMap(([name, value]) =>
    value !== undefined && value >= -150 && value <= 60 ? [[name, Math.round(value * 10) / 10] as const] : [],
  );
  return entries.length === 0 ? undefined : (Object.fromEntries(entries) as Signal);
}
