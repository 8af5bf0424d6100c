import { EAP_RESPONSE, eapTypeName } from '../eap/packet.ts';
import type { PppOutput } from './link-types.ts';
import { type ControlPacket, codeName, ECHO_REPLY, ECHO_REQUEST } from './packet.ts';
import { PPP_EAP, PPP_LCP, protocolName } from './protocol-numbers.ts';

/** Names what goes over the wire, once: echoes and retransmissions would drown the rest. */
export class PacketTracer {
  /** Code, identifier and length of the last packet received, by protocol: the same again is a retransmission. */
  readonly #received = new Map<number, string>();

  received(protocol: number, packet: ControlPacket): PppOutput | undefined {
    if (protocol === PPP_LCP && (packet.code === ECHO_REQUEST || packet.code === ECHO_REPLY)) return undefined;
    const mark = `${packet.code} ${packet.identifier} ${packet.data.length}`;
    if (this.#received.get(protocol) === mark) return undefined;
    this.#received.set(protocol, mark);
    return trace('received', protocol, packet);
  }

  sent(protocol: number, packet: ControlPacket): PppOutput {
    return trace('sent', protocol, packet);
  }
}

/** `Configure-Request`; for EAP with the Type: `Request MD5-Challenge`. */
function messageName(protocol: number, { code, data }: ControlPacket): string {
  const name = codeName(protocol, code);
  const [type] = data;
  return protocol === PPP_EAP && code <= EAP_RESPONSE && type !== undefined ? `${name} ${eapTypeName(type)}` : name;
}

function trace(direction: 'sent' | 'received', protocol: number, packet: ControlPacket): PppOutput {
  return { kind: 'trace', direction, protocol: protocolName(protocol), message: messageName(protocol, packet) };
}
