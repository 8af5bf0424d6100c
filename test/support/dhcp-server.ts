/** A DHCP server for tests: it answers what a client sends, as a test tells it to. */
import { type DhcpMessage, decodeDhcp, encodeDhcp } from '../../firmware/protocol/dhcp/message.ts';
import type { MessageType, OptionValues } from '../../firmware/protocol/dhcp/option-table.ts';
import { decodeUdpPacket, encodeUdpPacket } from '../../firmware/protocol/dhcp/udp-packet.ts';
import { formatIpv4, parseIpv4 } from '../../firmware/protocol/ip-address.ts';

export interface Heard extends DhcpMessage {
  readonly source: string;
  readonly destination: string;
}

export class TestDhcpServer {
  /** What was heard, in order. */
  readonly heard: Heard[] = [];
  address = '192.0.2.1';
  /** What it gives; a request for anything else gets a NAK. */
  gives = '192.0.2.100';
  leaseSeconds = 3600;
  silent = false;
  /** Beside or instead of its own. */
  options: OptionValues = {};
  /** Changes an answer before it goes out. */
  alter: (message: DhcpMessage) => DhcpMessage = (message) => message;

  /** @returns the packet by which it answers, if it does. */
  receive(packet: Uint8Array): Uint8Array | undefined {
    const { source, destination, payload } = decodeUdpPacket(packet, false);
    const message = decodeDhcp(payload);
    this.heard.push({ ...message, source: formatIpv4(source), destination: formatIpv4(destination) });
    if (this.silent) return undefined;
    if (message.type === 'DISCOVER') return this.#answer(message, 'OFFER');
    if (message.type !== 'REQUEST') return undefined;
    const wanted = message.options.requestedAddress ?? message.clientAddress;
    return this.#answer(message, wanted === this.gives ? 'ACK' : 'NAK');
  }

  /** Messages of what was heard, by type. */
  get types(): readonly MessageType[] {
    return this.heard.map(({ type }) => type);
  }

  #answer(request: DhcpMessage, type: MessageType): Uint8Array {
    const nak = type === 'NAK';
    const message = this.alter({
      ...request,
      op: 'reply',
      type,
      clientAddress: '0.0.0.0',
      yourAddress: nak ? '0.0.0.0' : this.gives,
      options: nak ? { serverIdentifier: this.address, message: 'wrong network' } : this.#granted(),
    });
    return packetTo(this.address, this.gives, encodeDhcp(message));
  }

  #granted(): OptionValues {
    return {
      serverIdentifier: this.address,
      leaseSeconds: this.leaseSeconds,
      subnetMask: '255.255.255.0',
      routers: [this.address],
      dns: [this.address],
      ...this.options,
    };
  }
}

export function packetTo(source: string, destination: string, payload: Uint8Array): Uint8Array {
  const addresses = { source: parseIpv4(source) ?? 0, destination: parseIpv4(destination) ?? 0 };
  return encodeUdpPacket({ ...addresses, sourcePort: 67, destinationPort: 68, payload });
}
