/** Every control message of RFC 2661 (sections 3.2 and 6): its number, its AVPs, and what it is about. */
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
  | 'SLI';

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
  /** Section of RFC 2661. */
  readonly section: string;
}

export const MESSAGES: Readonly<Record<MessageName, MessageDefinition>> = {
  SCCRQ: {
    type: 1,
    title: 'Start-Control-Connection-Request',
    scope: 'tunnel',
    required: ['protocolVersion', 'hostName', 'framingCapabilities', 'assignedTunnelId'],
    optional: ['bearerCapabilities', 'receiveWindowSize', 'challenge', 'tieBreaker', 'firmwareRevision', 'vendorName'],
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
    optional: ['subAddress'],
    section: '6.9',
  },
  OCRP: {
    type: 8,
    title: 'Outgoing-Call-Reply',
    scope: 'session',
    required: ['assignedSessionId'],
    optional: ['physicalChannelId'],
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
    optional: ['bearerType', 'physicalChannelId', 'callingNumber', 'calledNumber', 'subAddress'],
    section: '6.6',
  },
  ICRP: {
    type: 11,
    title: 'Incoming-Call-Reply',
    scope: 'session',
    required: ['assignedSessionId'],
    optional: [],
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
    optional: ['q931CauseCode'],
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
};

const byType: ReadonlyMap<number, MessageName> = new Map(
  (Object.keys(MESSAGES) as MessageName[]).map((name) => [MESSAGES[name].type, name]),
);

/** The message with this Message Type; `undefined` when RFC 2661 has none. */
export function findMessage(type: number): MessageName | undefined {
  return byType.get(type);
}
