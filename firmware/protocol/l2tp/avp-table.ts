/**
 * Every AVP of RFC 2661 (section 4.4), and those of RFC 3145, 3301, 3308 and 5515. This table drives encoding, decoding, hiding and the packet decoder's output.
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
  /** Section of RFC 2661, or another RFC with its section. */
  readonly section: string;
}

const START: readonly MessageName[] = ['SCCRQ', 'SCCRP'];
const REQUESTS: readonly MessageName[] = ['ICRQ', 'OCRQ'];
const CONNECTED: readonly MessageName[] = ['ICCN', 'OCCN'];
const NAMES_SESSION: readonly MessageName[] = ['CDN', 'ICRP', 'ICRQ', 'OCRP', 'OCRQ'];

const FRAMING = { 1: 'synchronous', 2: 'asynchronous' } as const;
/** RFC 3301 section 4.1 adds the third. */
const BEARER = { 1: 'digital', 2: 'analog', 4: 'broadband' } as const;
const AUTHEN_TYPES = { 1: 'textual', 2: 'CHAP', 3: 'PAP', 4: 'none', 5: 'MSCHAPv1' } as const;

const SECRET_OCTETS = { minLength: 1, sensitive: true } as const;

/** The Broadband Forum (RFC 5515 section 5). */
const ACCESS_LINE = { vendor: 3561 } as const;
/** RFC 5515 section 5: 1..63 octets, of which a line can be told. */
const LINE_NAME = { vendor: 3561, minLength: 1 } as const;

/** M bit as sent, and whether the value may be hidden. */
type Traits = Pick<AvpDefinition, 'mandatory' | 'hideable'>;
const PLAIN: Traits = { mandatory: true, hideable: false };
const HIDEABLE: Traits = { mandatory: true, hideable: true };
const OPTIONAL: Traits = { mandatory: false, hideable: true };
const OPTIONAL_PLAIN: Traits = { mandatory: false, hideable: false };

type Extra = Partial<Pick<AvpDefinition, 'vendor' | 'minLength' | 'min' | 'max' | 'names' | 'sensitive'>>;

function avp<Kind extends AvpKind>(
  section: string,
  type: number,
  name: string,
  kind: Kind,
  traits: Traits,
  messages: AvpDefinition['messages'],
  extra: Extra = {},
): AvpDefinition & { readonly kind: Kind } {
  return { vendor: 0, type, name, kind, ...traits, messages, section, ...extra };
}

/** An AVP of RFC 5515 about the caller's access line. */
function line<Kind extends AvpKind>(
  section: string,
  type: number,
  name: string,
  kind: Kind,
  extra: Extra = ACCESS_LINE,
): AvpDefinition & { readonly kind: Kind } {
  return avp(`RFC 5515 ${section}`, type, name, kind, OPTIONAL, ['ICRQ'], extra);
}

export const AVPS = {
  // 4.4.1 AVPs applicable to all control messages
  messageType: avp('4.4.1', 0, 'Message Type', 'u16', PLAIN, 'all'),
  randomVector: avp('4.4.1', 36, 'Random Vector', 'bytes', PLAIN, 'all'),

  // 4.4.2 Result and error codes
  resultCode: avp('4.4.2', 1, 'Result Code', 'result-code', PLAIN, ['StopCCN', 'CDN']),

  // 4.4.3 Control connection management AVPs
  protocolVersion: avp('4.4.3', 2, 'Protocol Version', 'protocol-version', PLAIN, START),
  framingCapabilities: avp('4.4.3', 3, 'Framing Capabilities', 'bitmask', HIDEABLE, START, { names: FRAMING }),
  bearerCapabilities: avp('4.4.3', 4, 'Bearer Capabilities', 'bitmask', HIDEABLE, START, { names: BEARER }),
  tieBreaker: avp('4.4.3', 5, 'Tie Breaker', 'u64', OPTIONAL_PLAIN, ['SCCRQ']),
  firmwareRevision: avp('4.4.3', 6, 'Firmware Revision', 'u16', OPTIONAL, START),
  hostName: avp('4.4.3', 7, 'Host Name', 'text', PLAIN, START, { minLength: 1 }),
  vendorName: avp('4.4.3', 8, 'Vendor Name', 'text', OPTIONAL, START),
  assignedTunnelId: avp('4.4.3', 9, 'Assigned Tunnel ID', 'u16', HIDEABLE, ['SCCRQ', 'SCCRP', 'StopCCN'], { min: 1 }),
  receiveWindowSize: avp('4.4.3', 10, 'Receive Window Size', 'u16', PLAIN, START, { min: 1 }),
  challenge: avp('4.4.3', 11, 'Challenge', 'bytes', HIDEABLE, START, { minLength: 1 }),
  challengeResponse: avp('4.4.3', 13, 'Challenge Response', 'challenge-response', HIDEABLE, ['SCCRP', 'SCCCN']),

  // 4.4.4 Call management AVPs
  q931CauseCode: avp('4.4.4', 12, 'Q.931 Cause Code', 'q931-cause', PLAIN, ['CDN']),
  assignedSessionId: avp('4.4.4', 14, 'Assigned Session ID', 'u16', HIDEABLE, NAMES_SESSION, { min: 1 }),
  callSerialNumber: avp('4.4.4', 15, 'Call Serial Number', 'u32', HIDEABLE, REQUESTS),
  minimumBps: avp('4.4.4', 16, 'Minimum BPS', 'u32', HIDEABLE, ['OCRQ']),
  maximumBps: avp('4.4.4', 17, 'Maximum BPS', 'u32', HIDEABLE, ['OCRQ']),
  bearerType: avp('4.4.4', 18, 'Bearer Type', 'bitmask', HIDEABLE, REQUESTS, { names: BEARER }),
  framingType: avp('4.4.4', 19, 'Framing Type', 'bitmask', HIDEABLE, ['ICCN', 'OCCN', 'OCRQ'], { names: FRAMING }),
  calledNumber: avp('4.4.4', 21, 'Called Number', 'text', HIDEABLE, REQUESTS, { sensitive: true }),
  callingNumber: avp('4.4.4', 22, 'Calling Number', 'text', HIDEABLE, ['ICRQ'], { sensitive: true }),
  subAddress: avp('4.4.4', 23, 'Sub-Address', 'text', HIDEABLE, REQUESTS, { sensitive: true }),
  txConnectSpeed: avp('4.4.4', 24, '(Tx) Connect Speed', 'u32', HIDEABLE, CONNECTED),
  rxConnectSpeed: avp('4.4.4', 38, 'Rx Connect Speed', 'u32', OPTIONAL, CONNECTED),
  physicalChannelId: avp('4.4.4', 25, 'Physical Channel ID', 'u32', OPTIONAL, ['ICRQ', 'OCRP']),
  privateGroupId: avp('4.4.4', 37, 'Private Group ID', 'text', OPTIONAL, ['ICCN'], { sensitive: true }),
  sequencingRequired: avp('4.4.4', 39, 'Sequencing Required', 'flag', PLAIN, CONNECTED),

  // 4.4.5 Proxy LCP and authentication AVPs
  initialReceivedLcpConfreq: avp('4.4.5', 26, 'Initial Received LCP CONFREQ', 'bytes', OPTIONAL, ['ICCN']),
  lastSentLcpConfreq: avp('4.4.5', 27, 'Last Sent LCP CONFREQ', 'bytes', OPTIONAL, ['ICCN']),
  lastReceivedLcpConfreq: avp('4.4.5', 28, 'Last Received LCP CONFREQ', 'bytes', OPTIONAL, ['ICCN']),
  proxyAuthenType: avp('4.4.5', 29, 'Proxy Authen Type', 'u16', OPTIONAL, ['ICCN'], { names: AUTHEN_TYPES }),
  proxyAuthenName: avp('4.4.5', 30, 'Proxy Authen Name', 'text', OPTIONAL, ['ICCN'], { sensitive: true }),
  proxyAuthenChallenge: avp('4.4.5', 31, 'Proxy Authen Challenge', 'bytes', OPTIONAL, ['ICCN'], SECRET_OCTETS),
  proxyAuthenId: avp('4.4.5', 32, 'Proxy Authen ID', 'u16', OPTIONAL, ['ICCN'], { max: 255 }),
  proxyAuthenResponse: avp('4.4.5', 33, 'Proxy Authen Response', 'bytes', OPTIONAL, ['ICCN'], { sensitive: true }),

  // 4.4.6 Call status AVPs
  callErrors: avp('4.4.6', 34, 'Call Errors', 'call-errors', HIDEABLE, ['WEN']),
  accm: avp('4.4.6', 35, 'ACCM', 'accm', HIDEABLE, ['SLI']),

  // RFC 3145
  pppDisconnectCause: avp('RFC 3145 2', 46, 'PPP Disconnect Cause Code', 'ppp-disconnect', OPTIONAL, ['CDN']),

  // RFC 3301, access networks of ATM
  rxMinimumBps: avp('RFC 3301 4.3', 40, 'Rx Minimum BPS', 'u32', OPTIONAL, ['OCRQ']),
  rxMaximumBps: avp('RFC 3301 4.3', 41, 'Rx Maximum BPS', 'u32', OPTIONAL, ['OCRQ']),
  serviceCategory: avp('RFC 3301 4.3', 42, 'Service Category', 'u16', OPTIONAL, REQUESTS),
  serviceName: avp('RFC 3301 4.3', 43, 'Service Name', 'text', OPTIONAL, REQUESTS, { minLength: 1 }),
  callingSubAddress: avp('RFC 3301 4.3', 44, 'Calling Sub-Address', 'bytes', OPTIONAL, ['ICRQ']),
  vpiVci: avp('RFC 3301 4.3', 45, 'VPI/VCI Identifier', 'u32', OPTIONAL, ['ICRQ', 'OCRP']),

  // RFC 3308, per-hop behaviours; a PHB code of one DSCP has that in its six highest bits (RFC 3140)
  controlConnectionDs: avp('RFC 3308 3.1', 47, 'Control Connection DS', 'u16', OPTIONAL, START),
  sessionDs: avp('RFC 3308 4.1', 48, 'Session DS', 'u16', OPTIONAL, ['ICRQ', 'ICRP', 'OCRQ', 'OCRP']),

  // RFC 5515, connect speeds that change, and the caller's access line
  connectSpeedUpdate: avp('RFC 5515 6.1', 97, 'Connect Speed Update', 'speed-update', OPTIONAL, ['CSUN', 'CSURQ']),
  connectSpeedUpdateEnable: avp('RFC 5515 6.2', 98, 'Connect Speed Update Enable', 'flag', OPTIONAL, ['ICRQ']),
  agentCircuitId: line('5.1', 1, 'Agent-Circuit-Id', 'text', LINE_NAME),
  agentRemoteId: line('5.2', 2, 'Agent-Remote-Id', 'text', LINE_NAME),
  actualDataRateUpstream: line('5.3', 129, 'Actual-Data-Rate-Upstream', 'u64'),
  actualDataRateDownstream: line('5.4', 130, 'Actual-Data-Rate-Downstream', 'u64'),
  minimumDataRateUpstream: line('5.5', 131, 'Minimum-Data-Rate-Upstream', 'u64'),
  minimumDataRateDownstream: line('5.6', 132, 'Minimum-Data-Rate-Downstream', 'u64'),
  attainableDataRateUpstream: line('5.7', 133, 'Attainable-Data-Rate-Upstream', 'u64'),
  attainableDataRateDownstream: line('5.8', 134, 'Attainable-Data-Rate-Downstream', 'u64'),
  maximumDataRateUpstream: line('5.9', 135, 'Maximum-Data-Rate-Upstream', 'u64'),
  maximumDataRateDownstream: line('5.10', 136, 'Maximum-Data-Rate-Downstream', 'u64'),
  minimumDataRateUpstreamLowPower: line('5.11', 137, 'Minimum-Data-Rate-Upstream-Low-Power', 'u64'),
  minimumDataRateDownstreamLowPower: line('5.12', 138, 'Minimum-Data-Rate-Downstream-Low-Power', 'u64'),
  maximumInterleavingDelayUpstream: line('5.13', 139, 'Maximum-Interleaving-Delay-Upstream', 'u32'),
  actualInterleavingDelayUpstream: line('5.14', 140, 'Actual-Interleaving-Delay-Upstream', 'u32'),
  maximumInterleavingDelayDownstream: line('5.15', 141, 'Maximum-Interleaving-Delay-Downstream', 'u32'),
  actualInterleavingDelayDownstream: line('5.16', 142, 'Actual-Interleaving-Delay-Downstream', 'u32'),
  accessLoopEncapsulation: line('5.17', 144, 'Access-Loop-Encapsulation', 'bytes', { ...ACCESS_LINE, minLength: 3 }),
  ancpAccessLineType: line('5.18', 145, 'ANCP Access Line Type', 'u32'),
  iwfSession: line('5.19', 254, 'Access Line IWF-Session', 'u32'),
} as const satisfies Record<string, AvpDefinition>;

/** Name of an AVP in this project's code. */
export type AvpKey = keyof typeof AVPS;

/** AVPs that carry a message's meaning: the other two are put in and taken out by the codec itself. */
export type FieldKey = Exclude<AvpKey, 'messageType' | 'randomVector'>;

const keys = Object.keys(AVPS) as readonly AvpKey[];
const byNumber: ReadonlyMap<number, AvpKey> = new Map(
  keys.map((key) => [AVPS[key].vendor * 65536 + AVPS[key].type, key]),
);

/** The AVP of this vendor and type; `undefined` when the table has none. */
export function findAvp(vendor: number, type: number): AvpKey | undefined {
  return byNumber.get(vendor * 65536 + type);
}

/** The table's row, as the general type. */
export function avpDefinition(key: AvpKey): AvpDefinition {
  return AVPS[key];
}
