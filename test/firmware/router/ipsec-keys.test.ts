import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseKeyText } from '../../../firmware/diagnosis/decode/keys/key-files.ts';
import { hex } from '../../../firmware/protocol/bytes.ts';
import type { ChildSa, IkeSecrets } from '../../../firmware/protocol/ike/ike-types.ts';
import { RouterBench } from './router-bench.ts';

let bench: RouterBench;
beforeEach(async () => {
  bench = new RouterBench();
  await bench.network.recover();
});
afterEach(() => bench.end());

const CONNECTION = { remote: '10.20.0.2', psk: 'long enough', mode: 'transport' };
const octets = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

const path = { local: { address: '10.20.0.9', port: 4500 }, remote: { address: '10.20.0.2', port: 4500 } };
const CHILD: ChildSa = {
  id: 1,
  ikeId: 1,
  connection: 'hq',
  mode: 'transport',
  inboundSpi: 0xc0ffee01,
  outboundSpi: 0x0000beef,
  inbound: {
    encryption: 'aes128',
    encryptionKey: octets(16, 0xe1),
    integrity: 'sha256',
    integrityKey: octets(32, 0xa1),
  },
  outbound: { encryption: 'aes256gcm16', encryptionKey: octets(36, 0xe2) },
  extendedSequenceNumbers: true,
  udpEncapsulation: true,
  path,
  localSelectors: [],
  remoteSelectors: [],
  lifetime: 3600,
};
const HQ: IkeSecrets = {
  ikeId: 1,
  connection: 'hq',
  path,
  behindNat: false,
  ike: {
    version: 2,
    spiI: octets(8, 1),
    spiR: octets(8, 2),
    encryption: 'aes256',
    integrity: 'sha1',
    skEi: octets(32, 3),
    skEr: octets(32, 4),
    skAi: octets(20, 5),
    skAr: octets(20, 6),
  },
  children: [CHILD],
};
const PLANT: IkeSecrets = {
  ikeId: 1,
  connection: 'plant',
  path,
  behindNat: false,
  ike: { version: 1, cookieI: octets(8, 7), cookieR: octets(8, 8), encryption: '3des', encryptionKey: octets(24, 9) },
  children: [],
};

async function withSas(): Promise<void> {
  const connections = { hq: CONNECTION, plant: { ...CONNECTION, remote: '10.20.0.3' } };
  const clients = { office: { ipsec: 'hq', start: 'manual' } };
  await bench.during(bench.router.enforce(bench.configuration(clients, {}, connections)));
  bench.ipsec.keys = [HQ, PLANT];
}

function linesOf(name?: string): readonly string[] {
  const result = bench.router.ipsecKeys(name);
  if (!result.ok) throw new Error(result.reason);
  return result.keys.map(({ connection, table, line }) => `${connection} ${table}: ${line}`);
}

describe('the keys of a router', () => {
  it('are told as lines of the tables of Wireshark, what goes out before what comes in', async () => {
    await withSas();
    const x = (length: number, pair: string): string => pair.repeat(length);
    expect(linesOf()).toEqual([
      `hq ikev2_decryption_table: ${x(8, '01')},${x(8, '02')},${x(32, '03')},${x(32, '04')},"AES-CBC-256 [RFC3602]",` +
        `${x(20, '05')},${x(20, '06')},"HMAC_SHA1_96 [RFC2404]"`,
      'hq esp_sa: "IPv4","10.20.0.9","10.20.0.2","0x0000beef","AES-GCM with 16 octet ICV [RFC4106]",' +
        `"0x${x(36, 'e2')}","NULL","","64-bit"`,
      'hq esp_sa: "IPv4","10.20.0.2","10.20.0.9","0xc0ffee01","AES-CBC [RFC3602]",' +
        `"0x${x(16, 'e1')}","HMAC-SHA-256-128 [RFC4868]","0x${x(32, 'a1')}","64-bit"`,
      `plant ikev1_decryption_table: ${x(8, '07')},${x(24, '09')}`,
    ]);
  });

  it('are those of one connection, by its name or by that of the client that uses it', async () => {
    await withSas();
    expect(linesOf('plant')).toHaveLength(1);
    expect(linesOf('hq')).toHaveLength(3);
    expect(linesOf('office')).toEqual(linesOf('hq'));
    expect(bench.router.ipsecKeys('plnat')).toMatchObject({
      ok: false,
      reason: 'there is no IPsec connection "plnat"',
      remedy: 'choose one of hq, plant',
      notFound: ['hq', 'plant'],
    });
  });

  it('are read again by the decoder as they are printed', async () => {
    await withSas();
    const result = bench.router.ipsecKeys(undefined);
    const text = result.ok ? result.keys.map(({ line }) => line).join('\n') : '';
    expect(parseKeyText(text, 'keys')).toMatchObject({
      ikev1: [{ cookieI: octets(8, 7), key: octets(24, 9) }],
      ikev2: [{ cipher: { name: 'aes256' }, integrity: { name: 'sha1' }, skEr: octets(32, 4), skAr: octets(20, 6) }],
      esp: [
        { spi: 0xbeef, cipher: { name: 'aes256gcm16' }, integrity: { kind: 'none' }, extendedSequenceNumbers: true },
        { spi: 0xc0ffee01, source: '10.20.0.2', integrityKey: octets(32, 0xa1) },
      ],
    });
  });

  it('of algorithms that Wireshark 4.0 does not know are a comment to it, and not to the decoder', async () => {
    await withSas();
    const odd: ChildSa = { ...CHILD, outbound: { encryption: 'aes128ccm8', encryptionKey: octets(19, 1) } };
    const ike = { ...HQ.ike, encryption: 'chacha20poly1305', skEi: octets(36, 3), skEr: octets(36, 4) };
    const { integrity: _, ...combined } = { integrity: '', ...ike };
    bench.ipsec.keys = [{ ...HQ, ike: combined as IkeSecrets['ike'], children: [odd] }];
    const result = bench.router.ipsecKeys('hq');
    const lines = result.ok ? result.keys.map(({ line }) => line) : [];
    expect(lines.map((line) => line.startsWith('#culvert '))).toEqual([true, true, false]);
    expect(parseKeyText(lines.join('\n'), 'keys')).toMatchObject({
      ikev2: [{ cipher: { name: 'chacha20poly1305' } }],
      esp: [{ cipher: { name: 'aes128ccm8' } }, { cipher: { name: 'aes128' } }],
    });
  });

  it('name no address of this side behind a NAT, where a capture may have another one', async () => {
    await withSas();
    bench.ipsec.keys = [{ ...HQ, behindNat: true }];
    const ends = linesOf('hq').map((line) => /esp_sa: "IPv4","([^"]*)","([^"]*)"/.exec(line)?.slice(1, 3));
    expect(ends).toEqual([undefined, ['*', '10.20.0.2'], ['10.20.0.2', '*']]);
  });

  it('stand in no status or log', async () => {
    await withSas();
    bench.router.ipsecKeys(undefined);
    const elsewhere = JSON.stringify([await bench.router.status(), bench.router.log()]);
    for (const key of [CHILD.inbound.encryptionKey, CHILD.outbound.encryptionKey, octets(8, 3), octets(8, 9)]) {
      expect(elsewhere).not.toContain(hex(key));
      expect(elsewhere).not.toContain(Buffer.from(key).toString('base64').slice(0, 10));
    }
    expect(elsewhere).toContain('hq');
  });
});
