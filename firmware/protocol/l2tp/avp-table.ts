/**
 * Every AVP of RFC 2661 (section 4.4). This table drives encoding, decoding, hiding and the packet decoder's output.
 *
 * `mandatory` is the M bit as this side sends it. On receipt the M bit of these AVPs changes nothing by itself; it is
 * enforced on AVPs that are not in the table. `hideable` tells whether the RFC lets a sender hide the value.
 */
import type { AvpKind } from './avp-value.ts';
import type { MessageName } from './message-table.ts';

export interface AvpDefinition {
  /** SMI Network Management Private Enterprise Code; 0 is the IETF. */
  readonly vendor: number;
  /** Attribute Type, unique under its vendor only. */
  readonly type: number;
  /** Title in the RFC. */
  readonly name: string;
  readonly mandatory: boolean;
  readonly hideable: boolean;
  readonly kind: AvpKind;
  /** Least octets of a `bytes` or `text` value. Default 0. */
  readonly minLength?: number;
  /** Least value of a `u16`. Default 0. */
  readonly min?: number;
  /** Greatest value of a `u16`. Default 65535. */
  readonly max?: number;
  /** Names of single bits of a `bitmask`, or of values of a `u16`. */
  readonly names?: Readonly<Record<number, string>>;
  /** Hidden by this side as soon as it may hide anything: passwords, and who calls whom. */
  readonly sensitive?: true;
  readonly messages: 'all' | readonly MessageName[];
  /** Section of RFC 2661. */
  readonly section: string;
}

const START: readonly MessageName[] = ['SCCRQ', 'SCCRP'];
const FRAMING = { 1: 'synchronous', 2: 'asynchronous' } as const;
const BEARER = { 1: 'digital', 2: 'analog' } as const;
const AUTHEN_TYPES = { 1: 'textual', 2: 'CHAP', 3: 'PAP', 4: 'none', 5: 'MSCHAPv1' } as const;

type Traits = { readonly [K in 'mandatory' | 'hideable']: boolean };
const OPEN: Traits = { mandatory: true, hideable: false };
const HIDEABLE: Traits = { mandatory: true, hideable: true };
const OPTIONAL: Traits = { mandatory: false, hideable: true };

// biome-ignore format: a table is read by its columns
export const AVPS = {
  // 4.4.1 AVPs applicable to all control messages
  messageType: { vendor: 0, type: 0, name: 'Message Type', ...OPEN, kind: 'u16', messages: 'all', section: '4.4.1' },
  randomVector: { vendor: 0, type: 36, name: 'Random Vector', ...OPEN, kind: 'bytes', messages: 'all', section: '4.4.1' },

  // 4.4.2 Result and error codes
  resultCode: { vendor: 0, type: 1, name: 'Result Code', ...OPEN, kind: 'result-code', messages: ['StopCCN', 'CDN'], section: '4.4.2' },

  // 4.4.3 Control connection management AVPs
  protocolVersion: { vendor: 0, type: 2, name: 'Protocol Version', ...OPEN, kind: 'protocol-version', messages: START, section: '4.4.3' },
  framingCapabilities: { vendor: 0, type: 3, name: 'Framing Capabilities', ...HIDEABLE, kind: 'bitmask', names: FRAMING, messages: START, section: '4.4.3' },
  bearerCapabilities: { vendor: 0, type: 4, name: 'Bearer Capabilities', ...HIDEABLE, kind: 'bitmask', names: BEARER, messages: START, section: '4.4.3' },
  tieBreaker: { vendor: 0, type: 5, name: 'Tie Breaker', mandatory: false, hideable: false, kind: 'u64', messages: ['SCCRQ'], section: '4.4.3' },
  firmwareRevision: { vendor: 0, type: 6, name: 'Firmware Revision', ...OPTIONAL, kind: 'u16', messages: START, section: '4.4.3' },
  hostName: { vendor: 0, type: 7, name: 'Host Name', ...OPEN, kind: 'text', minLength: 1, messages: START, section: '4.4.3' },
  vendorName: { vendor: 0, type: 8, name: 'Vendor Name', ...OPTIONAL, kind: 'text', messages: START, section: '4.4.3' },
  assignedTunnelId: { vendor: 0, type: 9, name: 'Assigned Tunnel ID', ...HIDEABLE, kind: 'u16', min: 1, messages: ['SCCRQ', 'SCCRP', 'StopCCN'], section: '4.4.3' },
  receiveWindowSize: { vendor: 0, type: 10, name: 'Receive Window Size', ...OPEN, kind: 'u16', min: 1, messages: START, section: '4.4.3' },
  challenge: { vendor: 0, type: 11, name: 'Challenge', ...HIDEABLE, kind: 'bytes', minLength: 1, messages: START, section: '4.4.3' },
  challengeResponse: { vendor: 0, type: 13, name: 'Challenge Response', ...HIDEABLE, kind: 'challenge-response', messages: ['SCCRP', 'SCCCN'], section: '4.4.3' },

  // 4.4.4 Call management AVPs
  q931CauseCode: { vendor: 0, type: 12, name: 'Q.931 Cause Code', ...OPEN, kind: 'q931-cause', messages: ['CDN'], section: '4.4.4' },
  assignedSessionId: { vendor: 0, type: 14, name: 'Assigned Session ID', ...HIDEABLE, kind: 'u16', min: 1, messages: ['ICRQ', 'ICRP', 'OCRQ', 'OCRP', 'CDN'], section: '4.4.4' },
  callSerialNumber: { vendor: 0, type: 15, name: 'Call Serial Number', ...HIDEABLE, kind: 'u32', messages: ['ICRQ', 'OCRQ'], section: '4.4.4' },
  minimumBps: { vendor: 0, type: 16, name: 'Minimum BPS', ...HIDEABLE, kind: 'u32', messages: ['OCRQ'], section: '4.4.4' },
  maximumBps: { vendor: 0, type: 17, name: 'Maximum BPS', ...HIDEABLE, kind: 'u32', messages: ['OCRQ'], section: '4.4.4' },
  bearerType: { vendor: 0, type: 18, name: 'Bearer Type', ...HIDEABLE, kind: 'bitmask', names: BEARER, messages: ['ICRQ', 'OCRQ'], section: '4.4.4' },
  framingType: { vendor: 0, type: 19, name: 'Framing Type', ...HIDEABLE, kind: 'bitmask', names: FRAMING, messages: ['ICCN', 'OCRQ', 'OCCN'], section: '4.4.4' },
  calledNumber: { vendor: 0, type: 21, name: 'Called Number', ...HIDEABLE, kind: 'text', sensitive: true, messages: ['ICRQ', 'OCRQ'], section: '4.4.4' },
  callingNumber: { vendor: 0, type: 22, name: 'Calling Number', ...HIDEABLE, kind: 'text', sensitive: true, messages: ['ICRQ'], section: '4.4.4' },
  subAddress: { vendor: 0, type: 23, name: 'Sub-Address', ...HIDEABLE, kind: 'text', sensitive: true, messages: ['ICRQ', 'OCRQ'], section: '4.4.4' },
  txConnectSpeed: { vendor: 0, type: 24, name: '(Tx) Connect Speed', ...HIDEABLE, kind: 'u32', messages: ['ICCN', 'OCCN'], section: '4.4.4' },
  rxConnectSpeed: { vendor: 0, type: 38, name: 'Rx Connect Speed', ...OPTIONAL, kind: 'u32', messages: ['ICCN', 'OCCN'], section: '4.4.4' },
  physicalChannelId: { vendor: 0, type: 25, name: 'Physical Channel ID', ...OPTIONAL, kind: 'u32', messages: ['ICRQ', 'OCRP'], section: '4.4.4' },
  privateGroupId: { vendor: 0, type: 37, name: 'Private Group ID', ...OPTIONAL, kind: 'text', sensitive: true, messages: ['ICCN'], section: '4.4.4' },
  sequencingRequired: { vendor: 0, type: 39, name: 'Sequencing Required', ...OPEN, kind: 'flag', messages: ['ICCN', 'OCCN'], section: '4.4.4' },

  // 4.4.5 Proxy LCP and authentication AVPs
  initialReceivedLcpConfreq: { vendor: 0, type: 26, name: 'Initial Received LCP CONFREQ', ...OPTIONAL, kind: 'bytes', messages: ['ICCN'], section: '4.4.5' },
  lastSentLcpConfreq: { vendor: 0, type: 27, name: 'Last Sent LCP CONFREQ', ...OPTIONAL, kind: 'bytes', messages: ['ICCN'], section: '4.4.5' },
  lastReceivedLcpConfreq: { vendor: 0, type: 28, name: 'Last Received LCP CONFREQ', ...OPTIONAL, kind: 'bytes', messages: ['ICCN'], section: '4.4.5' },
  proxyAuthenType: { vendor: 0, type: 29, name: 'Proxy Authen Type', ...OPTIONAL, kind: 'u16', names: AUTHEN_TYPES, messages: ['ICCN'], section: '4.4.5' },
  proxyAuthenName: { vendor: 0, type: 30, name: 'Proxy Authen Name', ...OPTIONAL, kind: 'text', sensitive: true, messages: ['ICCN'], section: '4.4.5' },
  proxyAuthenChallenge: { vendor: 0, type: 31, name: 'Proxy Authen Challenge', ...OPTIONAL, kind: 'bytes', minLength: 1, sensitive: true, messages: ['ICCN'], section: '4.4.5' },
  proxyAuthenId: { vendor: 0, type: 32, name: 'Proxy Authen ID', ...OPTIONAL, kind: 'u16', max: 255, messages: ['ICCN'], section: '4.4.5' },
  proxyAuthenResponse: { vendor: 0, type: 33, name: 'Proxy Authen Response', ...OPTIONAL, kind: 'bytes', sensitive: true, messages: ['ICCN'], section: '4.4.5' },

  // 4.4.6 Call status AVPs
  callErrors: { vendor: 0, type: 34, name: 'Call Errors', ...HIDEABLE, kind: 'call-errors', messages: ['WEN'], section: '4.4.6' },
  accm: { vendor: 0, type: 35, name: 'ACCM', ...HIDEABLE, kind: 'accm', messages: ['SLI'], section: '4.4.6' },
} as const satisfies Record<string, AvpDefinition>;

/** Name of an AVP in this project's code. */
export type AvpKey = keyof typeof AVPS;

/** AVPs that carry a message's meaning: the other two are put in and taken out by the codec itself. */
export type FieldKey = Exclude<AvpKey, 'messageType' | 'randomVector'>;

const keys = Object.keys(AVPS) as readonly AvpKey[];
const byNumber: ReadonlyMap<number, AvpKey> = new Map(
  keys.map((key) => [AVPS[key].vendor * 65536 + AVPS[key].type, key]),
);

/** The AVP of this vendor and type; `undefined` when RFC 2661 has none. */
export function findAvp(vendor: number, type: number): AvpKey | undefined {
  return byNumber.get(vendor * 65536 + type);
}

/** The table's row, as the general type. */
export function avpDefinition(key: AvpKey): AvpDefinition {
  return AVPS[key];
}
