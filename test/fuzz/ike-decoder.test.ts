/**
 * Messages of IKE and ESP packets that were changed or made up, into the decoder with keys: it says something of each, in
 * little time. `CULVERT_FUZZ_RUNS=1000000 npx vitest run test/fuzz/ike-decoder.test.ts` for more.
 */
import { describe, expect, it } from 'vitest';
import type { DecodedBody, MessagePlace } from '../../firmware/diagnosis/decode/decoded.ts';
import { EspDecoder } from '../../firmware/diagnosis/decode/esp/esp-decoder.ts';
import { IkeDecoder } from '../../firmware/diagnosis/decode/ike/ike-decoder.ts';
import type { DecodeKeys } from '../../firmware/diagnosis/decode/keys/decode-keys.ts';
import { KeyFileError, parseKeyText } from '../../firmware/diagnosis/decode/keys/key-files.ts';
import { sealEsp } from '../firmware/diagnosis/decode/esp/seal.ts';
import { CERTIFICATE } from '../firmware/diagnosis/decode/ike/certificate.ts';
import { keysOf, placeOf, record } from '../firmware/diagnosis/decode/ike/recorded.ts';
import { connect } from '../firmware/protocol/ike/v1/setup.ts';
import { Harness, PATH } from '../firmware/protocol/ike/v2/harness.ts';
import { SeededRandom } from '../support/seeded-random.ts';
import { mutated, noise } from './ike-mutations.ts';

const RUNS = Number(process.env['CULVERT_FUZZ_RUNS'] ?? '20000');
const seed = Number(process.env['CULVERT_SEED'] ?? '1');
const HOUR_MS = 3_600_000;

/** Most that one message may take, ms: far above what any does, on a busy machine too. */
const SLOWEST_MS = 2000;

const PLACE: MessagePlace = placeOf({
  source: { address: '192.0.2.1', port: 500 },
  destination: { address: '192.0.2.2', port: 500 },
});

/** SPIs of a message whose Encrypted payload is not encrypted: what is changed inside is read. */
const OPEN_SPIS = 'aa'.repeat(8) + 'bb'.repeat(8);
const OPEN_KEYS = `${'aa'.repeat(8)},${'bb'.repeat(8)},,,"NULL [RFC2410]",,,"NONE [RFC4306]"`;

interface Material {
  readonly messages: readonly Uint8Array[];
  readonly keys: DecodeKeys;
}

function material(): Material {
  const harness = new Harness();
  harness.left.initiate(harness.now, 'office', PATH);
  const v2 = record(harness);
  const pair = connect({ clientBehindNat: true });
  const v1 = pair.network.sent.map(({ datagram }) => datagram);
  const keys = keysOf([...harness.left.secrets(), ...pair.client.endpoint.secrets()]);
  const open = parseKeyText(OPEN_KEYS, 'keys');
  return {
    messages: [
      ...v2.map(({ octets }) => octets),
      ...v1,
      ...v2.slice(0, 2).map(({ octets }) => wrapped(octets)),
      wrapped(withCertificate()),
    ],
    keys: { ...keys, ikev2: [...keys.ikev2, ...open.ikev2] },
  };
}

/** A message of one Certificate payload in clear. */
function withCertificate(): Uint8Array {
  const body = Buffer.from(`04${CERTIFICATE}`, 'hex');
  const out = new Uint8Array(32 + body.length);
  out[16] = 37;
  new DataView(out.buffer).setUint16(30, 4 + body.length);
  out.set(body, 32);
  return out;
}

/** The payloads of a message in clear, inside an Encrypted payload without encryption. */
function wrapped(message: Uint8Array): Uint8Array {
  const body = message.subarray(28);
  const out = new Uint8Array(28 + 4 + body.length + 1);
  out.set(Buffer.from(OPEN_SPIS, 'hex'));
  out.set([46, 0x20, 35, 0x08, 0, 0, 0, 1], 16);
  new DataView(out.buffer).setUint32(24, out.length);
  out[28] = message[16] ?? 0;
  new DataView(out.buffer).setUint16(30, 4 + body.length + 1);
  out.set(body, 32);
  return out;
}

function check(body: DecodedBody, octets: number): void {
  expect(body.summary).not.toBe('');
  expect(JSON.stringify(body)).not.toContain('undefined');
  if (body.error === undefined) return;
  expect(body.error.field).not.toBe('');
  expect(body.error.reason).not.toBe('');
  expect(body.error.offset).toBeGreaterThanOrEqual(0);
  if (body.fields['reassembled'] !== true) expect(body.error.offset).toBeLessThanOrEqual(octets);
}

describe(`the decoder of IKE and ESP under a fuzzer, seed ${seed}`, () => {
  it('says something of every changed message, and names what is wrong within it', { timeout: HOUR_MS }, () => {
    const { messages, keys } = material();
    const random = new SeededRandom(seed);
    const decoder = new IkeDecoder(keys);
    const protocols = new Map<string, number>();
    let faults = 0;
    for (let run = 0; run < RUNS; run += 1) {
      const original = messages[random.int(messages.length)] ?? new Uint8Array(0);
      const version = random.int(2) === 0 ? 1 : 2;
      const octets = random.int(20) === 0 ? noise(random, version) : mutated(random, original);
      const began = performance.now();
      const bodies = decoder.decode(octets, { ...PLACE, frame: run + 1, time: run });
      expect(performance.now() - began).toBeLessThan(SLOWEST_MS);
      expect(bodies.length).toBeGreaterThan(0);
      for (const body of bodies) {
        check(body, octets.length);
        protocols.set(body.protocol, (protocols.get(body.protocol) ?? 0) + 1);
        if (body.error !== undefined) faults += 1;
      }
    }
    process.stdout.write(`${RUNS} messages: ${JSON.stringify(Object.fromEntries(protocols))}, ${faults} with faults\n`);
    for (const protocol of ['ike', 'ikev1', 'ikev2']) expect(protocols.get(protocol)).toBeGreaterThan(RUNS / 100);
    expect(faults).toBeGreaterThan(RUNS / 10);
  });

  it('says something of every changed ESP packet', { timeout: HOUR_MS }, () => {
    const random = new SeededRandom(seed + 1);
    const esp = sealEsp({
      encryption: 'aes128',
      integrity: 'sha1',
      spi: 0x12345678,
      sequence: 7,
      nextHeader: 17,
      payload: random.bytes(60),
    });
    const key = Buffer.from(esp.encryptionKey).toString('hex');
    const line = `"IPv4","*","*","*","AES-CBC [RFC3602]","0x${key}","ANY 96 bit authentication [no checking]",""`;
    const nothing = '"IPv4","*","*","0x12345678","NULL","","NULL",""';
    for (const decoder of [line, nothing].map((text) => new EspDecoder(parseKeyText(text, 'keys')))) {
      for (let run = 0; run < RUNS / 4; run += 1) {
        const octets = mutated(random, esp.packet);
        const { body, inner } = decoder.decode(octets, PLACE);
        check(body, octets.length);
        if (inner !== undefined) expect(inner.bytes.length).toBeLessThanOrEqual(octets.length);
      }
    }
  });

  it('refuses every changed line of a key file in words, or takes it', () => {
    const random = new SeededRandom(seed + 2);
    const lines = [
      OPEN_KEYS,
      `0102030405060708,${'ab'.repeat(16)}`,
      `"IPv6","*","fe80::1","0x12345678","AES-CBC [RFC3602]","0x${'ab'.repeat(16)}","NULL","","64-bit"`,
    ];
    for (let run = 0; run < RUNS / 4; run += 1) {
      const original = Buffer.from(lines[random.int(lines.length)] ?? '');
      const text = Buffer.from(mutated(random, original)).toString('latin1');
      try {
        parseKeyText(text, 'keys');
      } catch (error) {
        expect(error).toBeInstanceOf(KeyFileError);
      }
    }
  });
});
