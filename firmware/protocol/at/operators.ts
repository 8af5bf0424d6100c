/** Access point names of well-known operators by the first digits of the IMSI (MCC and MNC): for those who configured none. */

export interface Operator {
  /** MCC and MNC, five or six digits. */
  readonly codes: readonly string[];
  readonly name: string;
  readonly apn: string;
  /** Where the APN wants them; operators do not keep them secret. */
  readonly user?: string;
  readonly password?: string;
}

const OPERATORS: readonly Operator[] = [
  { codes: ['26201', '26206'], name: 'Telekom (DE)', apn: 'internet.telekom', user: 'congstar', password: 'cs' },
  { codes: ['26202', '26204', '26209'], name: 'Vodafone (DE)', apn: 'web.vodafone.de' },
  { codes: ['26203', '26207', '26208', '26211'], name: 'O2 (DE)', apn: 'internet' },
  { codes: ['23201', '23211'], name: 'A1 (AT)', apn: 'a1.net', user: 'ppp@a1plus.at', password: 'ppp' },
  { codes: ['23203', '23207'], name: 'Magenta (AT)', apn: 'gprsinternet' },
  { codes: ['23205', '23210'], name: 'Drei (AT)', apn: 'drei.at' },
  { codes: ['22801'], name: 'Swisscom (CH)', apn: 'gprs.swisscom.ch' },
  { codes: ['22802'], name: 'Sunrise (CH)', apn: 'internet' },
  { codes: ['22803'], name: 'Salt (CH)', apn: 'internet' },
  { codes: ['20801', '20802'], name: 'Orange (FR)', apn: 'orange' },
  { codes: ['20810'], name: 'SFR (FR)', apn: 'sl2sfr' },
  { codes: ['20815', '20816'], name: 'Free (FR)', apn: 'free' },
  { codes: ['20820'], name: 'Bouygues (FR)', apn: 'mmsbouygtel.com' },
  { codes: ['23410', '23411'], name: 'O2 (GB)', apn: 'mobile.o2.co.uk', user: 'o2web', password: 'password' },
  { codes: ['23415'], name: 'Vodafone (GB)', apn: 'internet', user: 'web', password: 'web' },
  { codes: ['23420'], name: 'Three (GB)', apn: 'three.co.uk' },
  { codes: ['23430', '23433'], name: 'EE (GB)', apn: 'everywhere', user: 'eesecure', password: 'secure' },
  { codes: ['22201'], name: 'TIM (IT)', apn: 'ibox.tim.it' },
  { codes: ['22210'], name: 'Vodafone (IT)', apn: 'mobile.vodafone.it' },
  { codes: ['22288'], name: 'WindTre (IT)', apn: 'internet.it' },
  { codes: ['22250'], name: 'Iliad (IT)', apn: 'iliad' },
  { codes: ['21401'], name: 'Vodafone (ES)', apn: 'airtelwap.es', user: 'wap@wap', password: 'wap125' },
  { codes: ['21403'], name: 'Orange (ES)', apn: 'internet' },
  { codes: ['21407'], name: 'Movistar (ES)', apn: 'movistar.es', user: 'MOVISTAR', password: 'MOVISTAR' },
  { codes: ['20404'], name: 'Vodafone (NL)', apn: 'live.vodafone.com' },
  { codes: ['20408'], name: 'KPN (NL)', apn: 'internet' },
  { codes: ['20416', '20420'], name: 'Odido (NL)', apn: 'internet' },
  { codes: ['20601'], name: 'Proximus (BE)', apn: 'internet.proximus.be' },
  { codes: ['20610'], name: 'Orange (BE)', apn: 'mworld.be' },
  { codes: ['26001'], name: 'Plus (PL)', apn: 'internet' },
  { codes: ['26002'], name: 'T-Mobile (PL)', apn: 'internet' },
  { codes: ['26003'], name: 'Orange (PL)', apn: 'internet' },
  { codes: ['26006'], name: 'Play (PL)', apn: 'internet' },
  { codes: ['23001'], name: 'T-Mobile (CZ)', apn: 'internet.t-mobile.cz' },
  { codes: ['23002'], name: 'O2 (CZ)', apn: 'internet' },
  { codes: ['24001'], name: 'Telia (SE)', apn: 'online.telia.se' },
  { codes: ['24201'], name: 'Telenor (NO)', apn: 'internet' },
  { codes: ['24405'], name: 'Elisa (FI)', apn: 'internet' },
  { codes: ['310410', '310280', '311180'], name: 'AT&T (US)', apn: 'broadband' },
  { codes: ['310260'], name: 'T-Mobile (US)', apn: 'fast.t-mobile.com' },
  { codes: ['311480'], name: 'Verizon (US)', apn: 'vzwinternet' },
];

/** Whose SIM it is. @param imsi 6 digits or more. @returns `undefined` for one that is not in the table. */
export function operatorOf(imsi: string): Operator | undefined {
  return OPERATORS.find(({ codes }) => codes.some((code) => imsi.startsWith(code)));
}

/** For tests: every code leads to one operator. */
export const ALL_OPERATORS: readonly Operator[] = OPERATORS;
