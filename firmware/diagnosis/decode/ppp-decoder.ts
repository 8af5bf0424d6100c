/** PPP frames as L2TP and PPPoE carry them: control packets are told, user packets handed on (RFC 1661). */
import { emptyPppHeader, readPppHeader } from '../../protocol/ppp/header.ts';
import { PPP_CHAP, PPP_EAP, PPP_IP, PPP_IPV6, PPP_PAP, protocolName } from '../../protocol/ppp/protocol-numbers.ts';
import type { DecodeOptions } from './decode-options.ts';
import type { DecodedBody, DecodeFault, Fields } from './decoded.ts';
import { eapText } from './eap.ts';
import { FieldError, type Octets, slice } from './field-reader.ts';
import { PasswordChecker, type Speaker } from './password-checker.ts';
import { chapText, papText } from './ppp-authentication.ts';
import { configurationText } from './ppp-configuration.ts';
import { type ControlPacket, type PacketText, readControlPacket } from './ppp-packet.ts';
import type { Surroundings } from './surroundings.ts';

/** Below this are network-layer protocols and what is wrapped around them: user packets (RFC 1661 section 2). */
const FIRST_CONTROL_PROTOCOL = 0x8000;
/** Link Quality Report (RFC 1989), which has not the format of control packets. */
const PPP_LQR = 0xc025;

/** What is around a PPP frame. */
export interface PppContext {
  /** Tells sessions apart; empty when the beginning of the session was not seen. */
  readonly session: string;
  /** Which end of the tunnel the frame goes to; absent when that is not known. */
  readonly direction?: 0 | 1;
  /** Of the header around, told along with the frame. */
  readonly fields: Fields;
}

export class PppDecoder {
  readonly #all: boolean;
  readonly #passwords: PasswordChecker;

  constructor(options: DecodeOptions) {
    this.#all = options.all ?? false;
    this.#passwords = new PasswordChecker(options.passwords ?? []);
  }

  /** Tells of one frame. */
  decode(frame: Octets, surroundings: Surroundings, context: PppContext): void {
    const header = emptyPppHeader();
    if (!readPppHeader(frame.bytes, 0, frame.bytes.length, header)) {
      const error = { offset: 0, field: 'Protocol', reason: 'the frame ends before it' };
      const summary = 'PPP frame without a protocol';
      surroundings.emit({ protocol: 'ppp', summary, fields: context.fields, error });
      return;
    }
    const { protocol, offset } = header;
    const information = slice(frame, offset);
    if (protocol === PPP_IP || protocol === PPP_IPV6) {
      surroundings.inner(information);
      return;
    }
    if (protocol < FIRST_CONTROL_PROTOCOL || protocol === PPP_LQR) {
      if (this.#all || protocol === PPP_LQR) surroundings.emit(opaque(protocol, information, context));
      return;
    }
    surroundings.emit(this.#control(protocol, information, offset, surroundings, context));
  }

  #control(protocol: number, octets: Octets, offset: number, around: Surroundings, context: PppContext): DecodedBody {
    const name = `ppp-${protocolName(protocol).toLowerCase()}`;
    let packet: ControlPacket;
    try {
      packet = readControlPacket(protocol, octets, offset);
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      return malformed(name, 'packet', context.fields, error.fault);
    }
    const { code, identifier } = packet;
    const heading = `${code} id ${identifier}`;
    const fields: Fields = { code, identifier };
    let text: PacketText;
    try {
      text = this.#text(protocol, packet, speakerOf(around, context));
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      return malformed(name, heading, { ...fields, ...context.fields }, error.fault);
    }
    const said = { ...fields, ...text.fields, ...context.fields };
    const summary = text.words === '' ? heading : `${heading} ${text.words}`;
    if (text.error === undefined) return { protocol: name, summary, fields: said };
    return malformed(name, summary, said, text.error);
  }

  #text(protocol: number, packet: ControlPacket, speaker: Speaker): PacketText {
    switch (protocol) {
      case PPP_PAP:
        return papText(packet, this.#passwords);
      case PPP_CHAP:
        return chapText(packet, this.#passwords, speaker);
      case PPP_EAP:
        return eapText(packet, this.#passwords, speaker);
      default:
        return configurationText(protocol, packet);
    }
  }
}

/** Who says something to whom, so that an answer finds its question. */
function speakerOf({ place, link }: Surroundings, { session, direction }: PppContext): Speaker {
  if (session !== '' && direction !== undefined) return { conversation: session, direction };
  const from = `${place.source.address} ${place.source.port}`;
  const to = `${place.destination.address} ${place.destination.port}`;
  return from < to
    ? { conversation: `${link} ${session} ${from} ${to}`, direction: 1 }
    : { conversation: `${link} ${session} ${to} ${from}`, direction: 0 };
}

function opaque(protocol: number, { bytes, missing }: Octets, { fields }: PppContext): DecodedBody {
  const name = protocolName(protocol);
  const length = bytes.length + missing;
  return {
    protocol: `ppp-${name.toLowerCase()}`,
    summary: `${name} frame, ${length} octets`,
    fields: { length, ...fields },
  };
}

function malformed(protocol: string, heading: string, fields: Fields, error: DecodeFault): DecodedBody {
  return { protocol, summary: `${heading}: malformed: ${error.field}: ${error.reason}`, fields, error };
}
