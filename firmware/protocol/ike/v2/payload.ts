/**
 * Payloads (RFC 7296 section 3.2 and following) and chains of them. One table drives encoding, decoding and names.
 */
import { ByteReader, ByteWriter, DecodeError } from '../../bytes.ts';
import type { TrafficSelector } from '../ike-types.ts';
import { type ConfigurationBody, decodeConfiguration, encodeConfiguration } from './configuration-payload.ts';
import type { IdBody } from './identity.ts';
import { decodeProposals, encodeProposals, type SaProposal } from './sa-payload.ts';
import { decodeSelectors, encodeSelectors } from './traffic-selector.ts';

/** Payloads in one message that are read. Peers with many vendor ids and certificates stay far below. */
export const MAX_PAYLOADS = 64;

/** SPIs in one Delete payload that are read. */
const MAX_DELETED = 256;

/** Bounds of a nonce in octets (section 2.10). */
const MIN_NONCE = 16;
const MAX_NONCE = 256;

/** Bit of the generic header (section 3.2). */
const CRITICAL = 0x80;

interface Bodies {
  readonly SA: { readonly proposals: readonly SaProposal[] };
  readonly KE: { readonly group: number; readonly data: Uint8Array };
  readonly IDi: IdBody;
  readonly IDr: IdBody;
  readonly AUTH: { readonly method: number; readonly data: Uint8Array };
  readonly Nonce: { readonly data: Uint8Array };
  readonly N: {
    readonly protocol: number;
    readonly spi: Uint8Array;
    /** Notify Message Type. */
    readonly type: number;
    readonly data: Uint8Array;
  };
  /** `spis` is empty for the IKE SA. */
  readonly D: { readonly protocol: number; readonly spis: readonly Uint8Array[] };
  readonly V: { readonly data: Uint8Array };
  readonly TSi: { readonly selectors: readonly TrafficSelector[] };
  readonly TSr: { readonly selectors: readonly TrafficSelector[] };
  /** `encoding`: Cert Encoding. */
  readonly CERT: { readonly encoding: number; readonly data: Uint8Array };
  readonly CERTREQ: { readonly encoding: number; readonly data: Uint8Array };
  readonly CP: ConfigurationBody;
  /** One packet of EAP. */
  readonly EAP: { readonly data: Uint8Array };
}

export type PayloadKind = keyof Bodies;
export type PayloadOf<Kind extends PayloadKind> = { [K in Kind]: { readonly kind: K } & Bodies[K] }[Kind];
export type Payload = PayloadOf<PayloadKind>;

interface Row<Body> {
  /** Next Payload Type. */
  readonly type: number;
  /** Title in the RFC. */
  readonly title: string;
  /** Section of RFC 7296. */
  readonly section: string;
  readonly decode: (reader: ByteReader) => Body;
  readonly encode: (writer: ByteWriter, body: Body) => void;
}

const identification = {
  decode(reader: ByteReader): IdBody {
    const idType = reader.u8('ID Type');
    reader.skip(3, 'reserved');
    return { idType, data: reader.rest() };
  },
  encode(writer: ByteWriter, { idType, data }: IdBody): void {
    writer.u8(idType).u8(0).u16(0).bytes(data);
  },
};

const selectors = {
  decode: (reader: ByteReader) => ({ selectors: decodeSelectors(reader) }),
  encode: (writer: ByteWriter, body: { readonly selectors: readonly TrafficSelector[] }): void =>
    encodeSelectors(writer, body.selectors),
};

const certificate = {
  decode: (reader: ByteReader) => ({ encoding: reader.u8('Cert Encoding'), data: reader.rest() }),
  encode(writer: ByteWriter, { encoding, data }: { readonly encoding: number; readonly data: Uint8Array }): void {
    writer.u8(encoding).bytes(data);
  },
};

const opaque = {
  decode: (reader: ByteReader) => ({ data: reader.rest() }),
  encode: (writer: ByteWriter, { data }: { readonly data: Uint8Array }): void => {
    writer.bytes(data);
  },
};

export const PAYLOADS: { readonly [Kind in PayloadKind]: Row<Bodies[Kind]> } = {
  SA: {
    type: 33,
    title: 'Security Association',
    section: '3.3',
    decode: (reader) => ({ proposals: decodeProposals(reader) }),
    encode: (writer, { proposals }) => encodeProposals(writer, proposals),
  },
  KE: {
    type: 34,
    title: 'Key Exchange',
    section: '3.4',
    decode(reader) {
      const group = reader.u16('Diffie-Hellman Group Num');
      reader.skip(2, 'reserved');
      return { group, data: reader.rest() };
    },
    encode(writer, { group, data }) {
      writer.u16(group).u16(0).bytes(data);
    },
  },
  IDi: { type: 35, title: 'Identification - Initiator', section: '3.5', ...identification },
  IDr: { type: 36, title: 'Identification - Responder', section: '3.5', ...identification },
  CERT: { type: 37, title: 'Certificate', section: '3.6', ...certificate },
  CERTREQ: { type: 38, title: 'Certificate Request', section: '3.7', ...certificate },
  AUTH: {
    type: 39,
    title: 'Authentication',
    section: '3.8',
    decode(reader) {
      const method = reader.u8('Auth Method');
      reader.skip(3, 'reserved');
      return { method, data: reader.rest() };
    },
    encode(writer, { method, data }) {
      writer.u8(method).u8(0).u16(0).bytes(data);
    },
  },
  Nonce: {
    type: 40,
    title: 'Nonce',
    section: '3.9',
    decode(reader) {
      const data = reader.rest();
      if (data.length < MIN_NONCE || data.length > MAX_NONCE) throw new DecodeError(`a nonce of ${data.length} octets`);
      return { data };
    },
    encode: opaque.encode,
  },
  N: {
    type: 41,
    title: 'Notify',
    section: '3.10',
    decode(reader) {
      const protocol = reader.u8('Protocol ID');
      const spiSize = reader.u8('SPI Size');
      const type = reader.u16('Notify Message Type');
      return { protocol, type, spi: reader.bytes(spiSize, 'SPI'), data: reader.rest() };
    },
    encode(writer, { protocol, spi, type, data }) {
      writer.u8(protocol).u8(spi.length).u16(type).bytes(spi).bytes(data);
    },
  },
  D: {
    type: 42,
    title: 'Delete',
    section: '3.11',
    decode(reader) {
      const protocol = reader.u8('Protocol ID');
      const spiSize = reader.u8('SPI Size');
      const count = reader.u16('Num of SPIs');
      if (count > MAX_DELETED) throw new DecodeError(`${count} SPIs in a Delete payload`);
      return { protocol, spis: Array.from({ length: count }, () => reader.bytes(spiSize, 'SPI')) };
    },
    encode(writer, { protocol, spis }) {
      writer.u8(protocol).u8(spis[0]?.length ?? 0);
      writer.u16(spis.length);
      for (const spi of spis) writer.bytes(spi);
    },
  },
  V: { type: 43, title: 'Vendor ID', section: '3.12', ...opaque },
  TSi: { type: 44, title: 'Traffic Selector - Initiator', section: '3.13', ...selectors },
  TSr: { type: 45, title: 'Traffic Selector - Responder', section: '3.13', ...selectors },
  CP: {
    type: 47,
    title: 'Configuration',
    section: '3.15',
    decode: decodeConfiguration,
    encode: encodeConfiguration,
  },
  EAP: { type: 48, title: 'Extensible Authentication', section: '3.16', ...opaque },
};

/** Encrypted and Authenticated (section 3.14), and its fragment (RFC 7383 section 2.5): the last one of a message. */
export const ENCRYPTED = { SK: 46, SKF: 53 } as const;

const kinds = Object.keys(PAYLOADS) as readonly PayloadKind[];
const kindByType: ReadonlyMap<number, PayloadKind> = new Map(kinds.map((kind) => [PAYLOADS[kind].type, kind]));

/** Payloads of a message. */
export interface Chain {
  readonly payloads: readonly Payload[];
  /** Type of the first unknown payload with the critical bit: the message has to be refused (section 2.5). */
  readonly unsupportedCritical?: number;
}

/**
 * Reads payloads, one behind the other. Unknown ones are skipped (section 2.5).
 *
 * @param firstType type of the first payload; 0 when there is none.
 * @throws DecodeError when one does not fit what is left, when there are more than {@link MAX_PAYLOADS}, or when one
 *   is malformed.
 */
export function decodeChain(firstType: number, octets: Uint8Array): Chain {
  const reader = new ByteReader(octets);
  const payloads: Payload[] = [];
  let count = 0;
  let unsupportedCritical: number | undefined;
  for (let type = firstType; type !== 0; count += 1) {
    if (count >= MAX_PAYLOADS) throw new DecodeError(`more than ${MAX_PAYLOADS} payloads`);
    const next = reader.u8('Next Payload');
    const critical = (reader.u8('critical bit') & CRITICAL) !== 0;
    const length = reader.u16('Payload Length');
    if (length < 4) throw new DecodeError(`Payload Length ${length}`);
    const body = reader.bytes(length - 4, 'payload');
    const kind = kindByType.get(type);
    if (kind !== undefined) payloads.push(decodePayload(kind, body));
    else if (critical) unsupportedCritical ??= type;
    type = next;
  }
  return unsupportedCritical === undefined ? { payloads } : { payloads, unsupportedCritical };
}

function decodePayload<Kind extends PayloadKind>(kind: Kind, body: Uint8Array): PayloadOf<Kind> {
  const row: Row<Bodies[Kind]> = PAYLOADS[kind];
  const decoded = { kind, ...row.decode(new ByteReader(body)) };
  return decoded as PayloadOf<Kind>;
}

/** Payloads one behind the other, with the type of the first; 0 when there is none. */
export function encodeChain(payloads: readonly Payload[]): { readonly firstType: number; readonly octets: Uint8Array } {
  const writer = new ByteWriter(512);
  for (const [index, payload] of payloads.entries()) {
    const next = payloads[index + 1];
    const start = writer.length;
    writer.u8(next === undefined ? 0 : PAYLOADS[next.kind].type).u8(0);
    writer.u16(0);
    encodePayload(writer, payload);
    writer.patchU16(start + 2, writer.length - start);
  }
  const [first] = payloads;
  return { firstType: first === undefined ? 0 : PAYLOADS[first.kind].type, octets: writer.finish() };
}

function encodePayload<Kind extends PayloadKind>(writer: ByteWriter, payload: PayloadOf<Kind>): void {
  const row: Row<Bodies[Kind]> = PAYLOADS[payload.kind];
  row.encode(writer, payload);
}

/** The first payload of a kind; `undefined` when there is none. */
export function find<Kind extends PayloadKind>(payloads: readonly Payload[], kind: Kind): PayloadOf<Kind> | undefined {
  for (const payload of payloads) if (isKind(payload, kind)) return payload;
  return undefined;
}

/** All payloads of a kind. */
export function findAll<Kind extends PayloadKind>(
  payloads: readonly Payload[],
  kind: Kind,
): readonly PayloadOf<Kind>[] {
  return payloads.filter((payload) => isKind(payload, kind)) as readonly PayloadOf<Kind>[];
}

function isKind<Kind extends PayloadKind>(payload: Payload, kind: Kind): payload is PayloadOf<Kind> & Payload {
  return payload.kind === kind;
}
