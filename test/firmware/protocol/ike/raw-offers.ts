/** SA payloads as clients put them on the wire, with the numbers of RFC 2407 and RFC 2409 written out. */
import { ByteWriter } from '../../../../firmware/protocol/bytes.ts';
import { encodeSa, type SaProposal } from '../../../../firmware/protocol/ike/v1/sa-payload.ts';

/** Number, and key length where there is an attribute for it. */
const PHASE_1_CIPHERS = { des: [1], '3des': [5], aes128: [7, 128], aes192: [7, 192], aes256: [7, 256] } as const;
const ESP_CIPHERS = { des: [2], '3des': [3], aes128: [12, 128], aes192: [12, 192], aes256: [12, 256] } as const;
const PHASE_1_HASHES = { md5: 1, sha1: 2, sha256: 4, sha384: 5, sha512: 6 } as const;
const ESP_HASHES = { md5: 1, sha1: 2, sha256: 5, sha384: 6, sha512: 7 } as const;
const GROUPS = { modp1024: 2, modp1536: 5, modp2048: 14, ecp256: 19, ecp384: 20 } as const;

/** How a client writes its attributes. */
export interface Hand {
  /** Lifetime first, as racoon does; else last, as Windows does. */
  readonly lifeFirst: boolean;
  /** Life durations in four octets, however small. */
  readonly longLife: boolean;
  /** A limit in kilobytes beside the one in seconds. */
  readonly kilobytes?: number;
  /** That one comes first. */
  readonly kilobytesFirst?: boolean;
  /** Each ESP transform in a proposal of its own. */
  readonly apart: boolean;
}

type Table = Readonly<Record<string, number | readonly [number, number?]>>;

function row(table: Table, name: string | undefined): readonly [number, number?] {
  const found = table[name ?? ''];
  if (found === undefined) throw new Error(`there is no ${name}`);
  return typeof found === 'number' ? [found] : found;
}

function attribute(type: number, value: number, long = false): readonly number[] {
  const writer = new ByteWriter();
  if (long || value > 0xffff) writer.u16(type).u16(4).u32(value);
  else writer.u16(type | 0x8000).u16(value);
  return [...writer.finish()];
}

function withLife(
  rest: readonly number[],
  classes: readonly [number, number],
  seconds: number,
  hand: Hand,
): Uint8Array {
  const [type, duration] = classes;
  const time = [...attribute(type, 1), ...attribute(duration, seconds, hand.longLife)];
  const { kilobytes } = hand;
  const volume = kilobytes === undefined ? [] : [...attribute(type, 2), ...attribute(duration, kilobytes, true)];
  const life = hand.kilobytesFirst === true ? [...volume, ...time] : [...time, ...volume];
  return Uint8Array.from(hand.lifeFirst ? [...life, ...rest] : [...rest, ...life]);
}

function phase1Attributes(text: string, seconds: number, hand: Hand): Uint8Array {
  const [cipherName, hash, group] = text.split('-');
  const [cipher, keyBits] = row(PHASE_1_CIPHERS, cipherName);
  const rest = [
    ...attribute(1, cipher),
    ...(keyBits === undefined ? [] : attribute(14, keyBits)),
    ...attribute(2, row(PHASE_1_HASHES, hash)[0]),
    ...attribute(4, row(GROUPS, group)[0]),
    ...attribute(3, 1),
  ];
  const { lifeFirst, longLife, apart } = hand;
  return withLife(rest, [11, 12], seconds, { lifeFirst, longLife, apart });
}

function espTransform(text: string, mode: number, seconds: number, hand: Hand) {
  const [cipherName, hash, group] = text.split('-');
  const [cipher, keyBits] = row(ESP_CIPHERS, cipherName);
  const rest = [
    ...attribute(4, mode),
    ...(keyBits === undefined ? [] : attribute(6, keyBits)),
    ...attribute(5, row(ESP_HASHES, hash)[0]),
    ...(group === undefined ? [] : attribute(3, row(GROUPS, group)[0])),
  ];
  return { id: cipher, octets: withLife(rest, [1, 2], seconds, hand) };
}

/** Phase 1, `aes256-sha1-modp2048` each. */
export function phase1Sa(texts: readonly string[], seconds: number, hand: Hand): Uint8Array {
  const transforms = texts.map((text, index) => ({
    number: index + 1,
    id: 1,
    attributes: [],
    octets: phase1Attributes(text, seconds, hand),
  }));
  return encodeSa([{ number: 1, protocol: 1, spi: new Uint8Array(0), transforms }]);
}

/** ESP, `aes256-sha1` or `aes256-sha1-modp1024` each. @param mode Encapsulation Mode. */
export function espSa(texts: readonly string[], mode: number, seconds: number, hand: Hand): Uint8Array {
  const transforms = texts.map((text, index) => ({
    number: hand.apart ? 1 : index + 1,
    attributes: [],
    ...espTransform(text, mode, seconds, hand),
  }));
  const spi = Uint8Array.of(0xc0, 0, 0, 1);
  const proposals: readonly SaProposal[] = hand.apart
    ? transforms.map((transform, index) => ({ number: index + 1, protocol: 3, spi, transforms: [transform] }))
    : [{ number: 1, protocol: 3, spi, transforms }];
  return encodeSa(proposals);
}
