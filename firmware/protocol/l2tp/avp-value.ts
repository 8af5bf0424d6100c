/** The kinds of Attribute Value (RFC 2661 section 4.4 and its extensions), and the codec of each. */
import { ByteReader, ByteWriter, DecodeError, EncodeError, utf8Bytes } from '../bytes.ts';
import type { AvpDefinition } from './avp-table.ts';
import type { PppDisconnect, WanErrors } from './endpoint-types.ts';
import { GeneralError } from './result-code.ts';

/** Result Code AVP (section 4.4.2): the error code may be absent, and the message without an error code is. */
export interface ResultCode {
  readonly resultCode: number;
  readonly errorCode?: number;
  /** UTF-8, as the peer wrote it: not fit for printing. */
  readonly message?: string;
}

/** Protocol Version AVP (section 4.4.3). Version 1 revision 0 is RFC 2661. */
export interface ProtocolVersion {
  readonly version: number;
  readonly revision: number;
}

/** Q.931 Cause Code AVP (section 4.4.4), in the ITU's encodings. */
export interface Q931Cause {
  readonly causeCode: number;
  readonly causeMessage: number;
  readonly advisoryMessage?: string;
}

/** ACCM AVP (section 4.4.6), each 32 bits. */
export interface Accm {
  readonly sendAccm: number;
  readonly receiveAccm: number;
}

/** Connect Speed Update AVP (RFC 5515 section 6.1), bit/s, from the LAC's view. */
export interface ConnectSpeedUpdate {
  readonly remoteSessionId: number;
  readonly txConnectSpeed: number;
  readonly rxConnectSpeed: number;
}

/** What each kind of value is in memory. */
export interface AvpValues {
  readonly u16: number;
  readonly u32: number;
  readonly u64: bigint;
  /** 32 bits. */
  readonly bitmask: number;
  readonly bytes: Uint8Array;
  /** UTF-8; octets that are not UTF-8 are read as Latin-1. */
  readonly text: string;
  /** No value: the AVP's presence is what it says. */
  readonly flag: true;
  readonly 'protocol-version': ProtocolVersion;
  readonly 'result-code': ResultCode;
  readonly 'q931-cause': Q931Cause;
  /** 16 octets. */
  readonly 'challenge-response': Uint8Array;
  readonly 'call-errors': WanErrors;
  readonly accm: Accm;
  readonly 'ppp-disconnect': PppDisconnect;
  readonly 'speed-update': ConnectSpeedUpdate;
}

export type AvpKind = keyof AvpValues;
export type AvpValue = AvpValues[AvpKind];

/** A value that cannot be used, with the general error code that tells the peer so. */
export class AvpValueError extends DecodeError {
  /** General error code (section 4.4.2): 2 for a wrong length, 3 for a value out of range. */
  readonly errorCode: number;

  constructor(message: string, errorCode: number) {
    super(message);
    this.errorCode = errorCode;
  }
}

/** What a codec looks at in an AVP's definition. */
type Shape = Pick<AvpDefinition, 'name' | 'minLength' | 'min' | 'max'>;

interface ValueCodec<Value> {
  read(reader: ByteReader, shape: Shape): Value;
  write(writer: ByteWriter, value: Value, shape: Shape): void;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function decodeText(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}

function atLeast(length: number, shape: Shape): void {
  if (length < (shape.minLength ?? 0)) {
    throw new AvpValueError(`${shape.name}: ${length} octets, at least ${shape.minLength} wanted`, GeneralError.length);
  }
}

function inRange(value: number, shape: Shape): void {
  if (value < (shape.min ?? 0) || value > (shape.max ?? 0xffff)) {
    throw new AvpValueError(`${shape.name}: the value ${value} is out of range`, GeneralError.range);
  }
}

const u32: ValueCodec<number> = {
  read: (reader, shape) => reader.u32(shape.name),
  write: (writer, value) => writer.u32(value),
};

const CODECS: { readonly [K in AvpKind]: ValueCodec<AvpValues[K]> } = {
  u16: {
    read(reader, shape) {
      const value = reader.u16(shape.name);
      inRange(value, shape);
      return value;
    },
    write(writer, value, shape) {
      inRange(value, shape);
      writer.u16(value);
    },
  },
  u32,
  bitmask: u32,
  u64: {
    read: (reader, shape) => reader.u64(shape.name),
    write: (writer, value) => writer.u64(value),
  },
  bytes: {
    read(reader, shape) {
      atLeast(reader.remaining, shape);
      return reader.rest();
    },
    write(writer, value, shape) {
      atLeast(value.length, shape);
      writer.bytes(value);
    },
  },
  text: {
    read(reader, shape) {
      atLeast(reader.remaining, shape);
      return decodeText(reader.rest());
    },
    write(writer, value, shape) {
      const bytes = utf8Bytes(value);
      atLeast(bytes.length, shape);
      writer.bytes(bytes);
    },
  },
  flag: {
    read: () => true,
    write: () => {},
  },
  'protocol-version': {
    read: (reader, shape) => ({ version: reader.u8(shape.name), revision: reader.u8(shape.name) }),
    write: (writer, value) => writer.u8(value.version).u8(value.revision),
  },
  'result-code': {
    read(reader, shape) {
      const resultCode = reader.u16(shape.name);
      if (reader.remaining === 0) return { resultCode };
      const errorCode = reader.u16('Error Code');
      if (reader.remaining === 0) return { resultCode, errorCode };
      return { resultCode, errorCode, message: decodeText(reader.rest()) };
    },
    write(writer, value) {
      writer.u16(value.resultCode);
      if (value.errorCode === undefined && !value.message) return;
      writer.u16(value.errorCode ?? 0);
      if (value.message) writer.bytes(utf8Bytes(value.message));
    },
  },
  'q931-cause': {
    read(reader, shape) {
      const cause = { causeCode: reader.u16(shape.name), causeMessage: reader.u8('Cause Msg') };
      return reader.remaining === 0 ? cause : { ...cause, advisoryMessage: decodeText(reader.rest()) };
    },
    write(writer, value) {
      writer.u16(value.causeCode).u8(value.causeMessage);
      if (value.advisoryMessage) writer.bytes(utf8Bytes(value.advisoryMessage));
    },
  },
  'challenge-response': {
    read: (reader, shape) => reader.bytes(16, shape.name),
    write(writer, value) {
      if (value.length !== 16) throw new EncodeError(`a Challenge Response has 16 octets, not ${value.length}`);
      writer.bytes(value);
    },
  },
  'call-errors': {
    read(reader) {
      reader.skip(2, 'Call Errors');
      return {
        crcErrors: reader.u32('CRC Errors'),
        framingErrors: reader.u32('Framing Errors'),
        hardwareOverruns: reader.u32('Hardware Overruns'),
        bufferOverruns: reader.u32('Buffer Overruns'),
        timeoutErrors: reader.u32('Time-out Errors'),
        alignmentErrors: reader.u32('Alignment Errors'),
      };
    },
    write(writer, value) {
      writer.u16(0).u32(value.crcErrors).u32(value.framingErrors).u32(value.hardwareOverruns);
      writer.u32(value.bufferOverruns).u32(value.timeoutErrors).u32(value.alignmentErrors);
    },
  },
  accm: {
    read(reader, shape) {
      reader.skip(2, shape.name);
      return { sendAccm: reader.u32('Send ACCM'), receiveAccm: reader.u32('Receive ACCM') };
    },
    write: (writer, value) => writer.u16(0).u32(value.sendAccm).u32(value.receiveAccm),
  },
  'speed-update': {
    read(reader, shape) {
      reader.skip(2, shape.name);
      return {
        remoteSessionId: reader.u16('Remote Session Id'),
        txConnectSpeed: reader.u32('Current Tx Connect Speed'),
        rxConnectSpeed: reader.u32('Current Rx Connect Speed'),
      };
    },
    write(writer, value) {
      writer.u16(0).u16(value.remoteSessionId).u32(value.txConnectSpeed).u32(value.rxConnectSpeed);
    },
  },
  'ppp-disconnect': {
    read(reader, shape) {
      const cause = {
        code: reader.u16(shape.name),
        protocol: reader.u16('Control Protocol Number'),
        direction: reader.u8('Direction'),
      };
      return reader.remaining === 0 ? cause : { ...cause, message: decodeText(reader.rest()) };
    },
    write(writer, value) {
      writer.u16(value.code).u16(value.protocol).u8(value.direction);
      if (value.message) writer.bytes(utf8Bytes(value.message));
    },
  },
};

/**
 * The value in `bytes`, which must be used up by it.
 * @throws AvpValueError when the length is wrong or the value is out of range.
 */
export function decodeAvpValue(definition: Shape & Pick<AvpDefinition, 'kind'>, bytes: Uint8Array): AvpValue {
  const reader = new ByteReader(bytes);
  let value: AvpValue;
  try {
    value = CODECS[definition.kind].read(reader, definition);
  } catch (error) {
    if (!(error instanceof DecodeError) || error instanceof AvpValueError) throw error;
    throw new AvpValueError(error.message, GeneralError.length);
  }
  if (reader.remaining > 0) {
    throw new AvpValueError(`${definition.name}: ${reader.remaining} octets too many`, GeneralError.length);
  }
  return value;
}

/**
 * The octets of a value.
 * @throws EncodeError when a number does not fit, AvpValueError when the table forbids the value.
 */
export function encodeAvpValue<K extends AvpKind>(definition: Shape, kind: K, value: AvpValues[K]): Uint8Array {
  const writer = new ByteWriter(32);
  const codec: ValueCodec<AvpValues[K]> = CODECS[kind];
  codec.write(writer, value, definition);
  return writer.finish();
}
