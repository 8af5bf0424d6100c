/** Every control message of RFC 2661 (sections 3.2 and 6), and those of RFC 5515: its number, its AVPs, and what it is about. */
import type { FieldKey } from './avp-table.ts';

export type MessageName =
  | 'SCCRQ'
  | 'SCCRP'
  | 'SCCCN'
  | 'StopCCN'
  | 'HELLO'
  | 'OCRQ'
  | 'OCRP'
  | 'OCCN'
  | 'ICRQ'
  | 'ICRP'
  | 'ICCN'
  | 'CDN'
  | 'WEN'
  | 'SLI'
  | 'CSUN'
  | 'CSURQ';

export interface MessageDefinition {
  /** Value of the Message Type AVP. */
  readonly type: number;
  /** Name in full. */
  readonly title: string;
  /** What a bad message ends: the whole tunnel, or one session. */
  readonly scope: 'tunnel' | 'session';
  /** It only informs: whatever is wrong with it, nothing is ended for it. */
  readonly advisory?: true;
  /** AVPs that must be there, in the order in which they are sent, behind the Message Type. */
  readonly required: readonly FieldKey[];
  readonly optional: readonly FieldKey[];
  /** Section of RFC 2661, or another RFC with its section. */
  readonly section: string;
}

/** What a LAC may tell of the caller's line (RFC 5515 section 5). */
const ACCESS_LINE: readonly FieldKey[] = [
  'agentCircuitId',
  'agentRemoteId',
  'actualDataRateUpstream',
  'actualDataRateDownstream',
  'minimumDataRateUpstream',
  'minimumDataRateDownstream',
  'attainableDataRateUpstream',
  'attainableDataRateDownstream',
  'maximumDataRateUpstream',
  'maximumDataRateDownstream',
  'minimumDataRateUpstreamLowPower',
  'minimumDataRateDownstreamLowPower',
  'maximumInterleavingDelayUpstream',
  'actualInterleavingDelayUpstream',
  'maximumInterleavingDelayDownstream',
  'actualInterleavingDelayDownstream',
  'accessLoopEncapsulation',
  'ancpAccessLineType',
  'iwfSession',
];

export const MESSAGES: Readonly<Record<MessageName, MessageDefinition>> = {
  SCCRQ: {
    type: 1,
    title: 'Start-Control-Connection-Request',
    scope: 'tunnel',
    required: ['protocolVersion', 'hostName', 'framingCapabilities', 'assignedTunnelId'],
    optional: [
      'bearerCapabilities',
      'receiveWindowSize',
      'challenge',
      'tieBreaker',
      'firmwareRevision',
      'vendorName',
      'controlConnectionDs',
    ],
    section: '6.1',
  },
  SCCRP: {
    type: 2,
    title: 'Start-Control-Connection-Reply',
    scope: 'tunnel',
    required: ['protocolVersion', 'framingCapabilities', 'hostName', 'assignedTunnelId'],
    optional: [
      'bearerCapabilities',
      'firmwareRevision',
      'vendorName',
      'receiveWindowSize',
      'challenge',
      'challengeResponse',
      'controlConnectionDs',
    ],
    section: '6.2',
  },
  SCCCN: {
    type: 3,
    title: 'Start-Control-Connection-Connected',
    scope: 'tunnel',
    required: [],
    optional: ['challengeResponse'],
    section: '6.3',
  },
  StopCCN: {
    type: 4,
    title: 'Stop-Control-Connection-Notification',
    scope: 'tunnel',
    required: ['assignedTunnelId', 'resultCode'],
    optional: [],
    section: '6.4',
  },
  HELLO: { type: 6, title: 'Hello', scope: 'tunnel', required: [], optional: [], section: '6.5' },
  OCRQ: {
    type: 7,
    title: 'Outgoing-Call-Request',
    scope: 'session',
    required: [
      'assignedSessionId',
      'callSerialNumber',
      'minimumBps',
      'maximumBps',
      'bearerType',
      'framingType',
      'calledNumber',
    ],
    optional: ['subAddress', 'rxMinimumBps', 'rxMaximumBps', 'serviceCategory', 'serviceName', 'sessionDs'],
    section: '6.9',
  },
  OCRP: {
    type: 8,
    title: 'Outgoing-Call-Reply',
    scope: 'session',
    required: ['assignedSessionId'],
    optional: ['physicalChannelId', 'vpiVci', 'sessionDs'],
    section: '6.10',
  },
  OCCN: {
    type: 9,
    title: 'Outgoing-Call-Connected',
    scope: 'session',
    required: ['txConnectSpeed', 'framingType'],
    optional: ['rxConnectSpeed', 'sequencingRequired'],
    section: '6.11',
  },
  ICRQ: {
    type: 10,
    title: 'Incoming-Call-Request',
    scope: 'session',
    required: ['assignedSessionId', 'callSerialNumber'],
    optional: [
      'bearerType',
      'physicalChannelId',
      'callingNumber',
      'calledNumber',
      'subAddress',
      'serviceCategory',
      'serviceName',
      'callingSubAddress',
      'vpiVci',
      'sessionDs',
      'connectSpeedUpdateEnable',
      ...ACCESS_LINE,
    ],
    section: '6.6',
  },
  ICRP: {
    type: 11,
    title: 'Incoming-Call-Reply',
    scope: 'session',
    required: ['assignedSessionId'],
    optional: ['sessionDs'],
    section: '6.7',
  },
  ICCN: {
    type: 12,
    title: 'Incoming-Call-Connected',
    scope: 'session',
    required: ['txConnectSpeed', 'framingType'],
    optional: [
      'initialReceivedLcpConfreq',
      'lastSentLcpConfreq',
      'lastReceivedLcpConfreq',
      'proxyAuthenType',
      'proxyAuthenName',
      'proxyAuthenChallenge',
      'proxyAuthenId',
      'proxyAuthenResponse',
      'privateGroupId',
      'rxConnectSpeed',
      'sequencingRequired',
    ],
    section: '6.8',
  },
  CDN: {
    type: 14,
    title: 'Call-Disconnect-Notify',
    scope: 'session',
    required: ['resultCode', 'assignedSessionId'],
    optional: ['q931CauseCode', 'pppDisconnectCause'],
    section: '6.12',
  },
  WEN: {
    type: 15,
    title: 'WAN-Error-Notify',
    scope: 'session',
    advisory: true,
    required: ['callErrors'],
    optional: [],
    section: '6.13',
  },
  SLI: {
    type: 16,
    title: 'Set-Link-Info',
    scope: 'session',
    advisory: true,
    required: ['accm'],
    optional: [],
    section: '6.14',
  },
  CSUN: {
    type: 28,
    title: 'Connect-Speed-Update-Notification',
    scope: 'session',
    advisory: true,
    required: ['connectSpeedUpdate'],
    optional: [],
    section: 'RFC 5515 4.1',
  },
  CSURQ: {
    type: 29,
    title: 'Connect-Speed-Update-Request',
    scope: 'session',
    advisory: true,
    required: ['connectSpeedUpdate'],
    optional: [],
    section: 'RFC 5515 4.2',
  },
};

const byType: ReadonlyMap<number, MessageName> = new Map(
  (Object.keys(MESSAGES) as MessageName[]).map((name) => [MESSAGES[name].type, name]),
);

/** The message with this Message Type; `undefined` when the table has none. */
export function findMessage(type: number): MessageName | undefined {
  return byType.get(type);
}
