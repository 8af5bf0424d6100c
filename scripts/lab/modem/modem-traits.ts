/** How a simulated modem behaves; all of it can be changed while it runs. */

export type SimulatedVendor = 'quectel' | 'simcom' | 'huawei' | 'generic';

export interface ModemTraits {
  vendor: SimulatedVendor;
  /** There is a SIM in it. */
  sim: boolean;
  /** PIN that the SIM wants; empty: none. */
  pin: string;
  puk: string;
  /** How often a PIN may still be tried. */
  pinTries: number;
  imei: string;
  imsi: string;
  iccid: string;
  /** What +CEREG says once {@link registerMs} have passed: 1 home, 2 searching, 3 denied, 5 roaming. */
  registration: number;
  registerMs: number;
  operator: string;
  /** 0..31, 99. */
  csq: number;
  /** The only one that the network takes; empty: any. */
  apn: string;
  /** What a call meets. */
  call: 'CONNECT 150000000' | 'CONNECT' | 'NO CARRIER' | 'BUSY' | 'ERROR';
  callMs: number;
  /** Of +CEER. */
  cause: string;
  /** Answers nothing. */
  deaf: boolean;
  /** Goes on echoing after ATE0. */
  echoSurvives: boolean;
  /** CR CR LF at the end of lines, and a plus sign after CR, as some have it. */
  oddLineEnds: boolean;
  /** NULs before its first word, and noise between its lines. */
  noise: boolean;
  /** Says something unasked in the middle of each answer. */
  urcInReplies: boolean;
  /** So many answers are eaten by something unasked: only that comes. */
  eatsReplies: number;
  /** Knows neither +CEREG=2 nor +CGREG. */
  oldRegistration: boolean;
  /** Waits so long with each answer, ms. */
  answerMs: number;
}

export const ORDINARY: ModemTraits = {
  vendor: 'quectel',
  sim: true,
  pin: '',
  puk: '12345678',
  pinTries: 3,
  imei: '490154203237518',
  imsi: '262019876543210',
  iccid: '89490200001234567899',
  registration: 1,
  registerMs: 0,
  operator: 'LabTel',
  csq: 20,
  apn: '',
  call: 'CONNECT 150000000',
  callMs: 50,
  cause: '',
  deaf: false,
  echoSurvives: false,
  oddLineEnds: false,
  noise: false,
  urcInReplies: false,
  eatsReplies: 0,
  oldRegistration: false,
  answerMs: 1,
};
