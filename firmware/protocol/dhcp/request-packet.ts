/** A message of the client as it goes out, headers of IPv4 and UDP included. */
import { parseIpv4 } from '../ip-address.ts';
import type { DhcpClientOptions } from './client-types.ts';
import { encodeDhcp } from './message.ts';
import type { MessageType, OptionValues } from './option-table.ts';
import { CLIENT_PORT, encodeUdpPacket, SERVER_PORT } from './udp-packet.ts';

export const NO_ADDRESS = '0.0.0.0';
export const EVERYBODY = '255.255.255.255';

const MOST_SECONDS = 0xffff;

export interface Request {
  readonly type: MessageType;
  /** The address that it has, or {@link NO_ADDRESS}. */
  readonly own: string;
  /** Without the client identifier, which always goes along. */
  readonly options: OptionValues;
  /** Dotted quad. */
  readonly destination: string;
  readonly transactionId: number;
  /** Since the asking began. */
  readonly ms: number;
}

export function requestPacket({ mac, clientIdentifier }: DhcpClientOptions, request: Request): Uint8Array {
  const { type, own, options, destination, transactionId, ms } = request;
  const payload = encodeDhcp({
    op: 'request',
    type,
    transactionId,
    seconds: Math.min(Math.floor(ms / 1000), MOST_SECONDS),
    broadcast: false,
    clientAddress: own,
    yourAddress: NO_ADDRESS,
    relayAddress: NO_ADDRESS,
    clientMac: mac,
    options: { clientIdentifier, ...options },
  });
  const ports = { sourcePort: CLIENT_PORT, destinationPort: SERVER_PORT };
  return encodeUdpPacket({ source: parseIpv4(own) ?? 0, destination: parseIpv4(destination) ?? 0, ...ports, payload });
}
