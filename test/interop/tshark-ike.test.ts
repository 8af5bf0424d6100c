import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyLines } from '../../firmware/diagnosis/decode/keys/key-writer.ts';
import { cipherTitles, integrityTitles } from '../../firmware/diagnosis/decode/keys/wireshark-names.ts';
import type { ChildSa, IkeSecrets } from '../../firmware/protocol/ike/ike-types.ts';
import type { IkeProposal } from '../../firmware/protocol/ike/proposals.ts';
import { DEFAULT_LIMITS } from '../../firmware/protocol/ike/v2/settings.ts';
import { tryRun } from '../../scripts/lab/shell.ts';
import { sealEsp } from '../firmware/diagnosis/decode/esp/seal.ts';
import { aggressiveMode } from '../firmware/diagnosis/decode/ike/aggressive.ts';
import { type Recorded, record } from '../firmware/diagnosis/decode/ike/recorded.ts';
import { connect, l2tpClient, l2tpServer } from '../firmware/protocol/ike/v1/setup.ts';
import { Harness, PATH } from '../firmware/protocol/ike/v2/harness.ts';
import { writePcapng } from '../support/pcapng.ts';
import { expectTsharkToAgree } from './tshark-ike.ts';

const V2: readonly IkeProposal[] = [
  { encryption: 'aes128gcm16', prf: 'sha256', group: 'x25519' },
  { encryption: 'aes256gcm8', prf: 'sha384', group: 'ecp256' },
  { encryption: 'aes192ccm12', prf: 'sha512', group: 'x25519' },
  { encryption: 'aes256', integrity: 'sha256', prf: 'sha256', group: 'ecp384' },
  { encryption: 'aes128', integrity: 'sha512', prf: 'sha1', group: 'x25519' },
  { encryption: 'aes256ctr', integrity: 'sha384', prf: 'md5', group: 'x25519' },
  { encryption: '3des', integrity: 'sha1', prf: 'sha1', group: 'modp1024' },
];
const V1 = [
  ['aes256', 'sha1', 'ecp384'],
  ['aes128', 'sha256', 'ecp256'],
  ['aes192', 'sha512', 'modp1024'],
  ['3des', 'md5', 'ecp256'],
] as const;

interface Talk {
  readonly messages: readonly Recorded[];
  readonly secrets: readonly IkeSecrets[];
}

/** Set-up, a rekey of both kinds, and the end. */
function talkV2(proposal: IkeProposal, seed: number): Talk {
  const ikeProposals = [proposal];
  const harness = new Harness({ seed, left: { ikeProposals }, right: { ikeProposals } });
  harness.left.initiate(harness.now, 'office', PATH);
  const messages = [...record(harness)];
  const secrets = [...harness.left.secrets()].map(copied);
  harness.left.rekeyChild(harness.now, secrets[0]?.children[0]?.id ?? 0);
  messages.push(...record(harness));
  harness.left.rekeyIke(harness.now, secrets[0]?.ikeId ?? 0);
  messages.push(...record(harness));
  secrets.push(...harness.left.secrets().map(copied));
  for (const { ikeId } of harness.left.views()) harness.left.close(harness.now, ikeId);
  messages.push(...record(harness));
  return { messages, secrets };
}

function talkV1([encryption, hash, group]: (typeof V1)[number], seed: number): Talk {
  const ikeProposals = [{ encryption, integrity: hash, prf: hash, group }];
  const pair = connect({
    seed,
    client: l2tpClient({ ikeProposals }),
    server: l2tpServer({ ikeProposals }),
    clientBehindNat: seed % 2 === 0,
  });
  const { network, client, ikeId } = pair;
  const secrets = client.endpoint.secrets().map(copied);
  client.endpoint.rekeyChild(network.now, client.outbound.at(-1)?.id ?? 0);
  network.run(25_000);
  client.endpoint.close(network.now, ikeId);
  network.run(1000);
  const messages = network.sent.map(({ from, datagram, path }) => ({
    octets: datagram,
    source: from.nat === undefined ? path.local : from.nat.out(path.local),
    destination: path.remote,
  }));
  return { messages, secrets };
}

/** The octets of keys are wiped when their SA ends. */
function copied(secrets: IkeSecrets): IkeSecrets {
  return structuredClone(secrets);
}

/** Behind a port of NAT traversal a marker says that it is IKE (RFC 3948 section 2.2). */
function asDatagram({ octets, source, destination }: Talk['messages'][number], at: number) {
  const marked = source.port === 4500 || destination.port === 4500;
  const bytes = marked ? Uint8Array.of(0, 0, 0, 0, ...octets) : octets;
  return { at: at * 10, from: source, to: destination, bytes };
}

/** Fragments of IKEv2: names so long that IKE_AUTH does not fit. */
function talkInFragments(): Talk {
  const localId = { kind: 'fqdn', value: `${'long.'.repeat(40)}example` } as const;
  const harness = new Harness({
    seed: 300,
    left: { localId },
    right: { remoteId: localId },
    leftOptions: { limits: { ...DEFAULT_LIMITS, fragmentOctets: 200 } },
  });
  harness.left.initiate(harness.now, 'office', PATH);
  return { messages: record(harness), secrets: harness.left.secrets().map(copied) };
}

const ESP_ALGORITHMS: readonly (readonly [string, string?])[] = [
  ['aes128', 'sha1'],
  ['aes192', 'sha384'],
  ['aes256', 'sha256'],
  ['aes128', 'sha256-96'],
  ['3des', 'md5'],
  ['aes256ctr', 'sha512'],
  ['aes128gcm16'],
  ['aes192gcm12'],
  ['aes256gcm8'],
  ['chacha20poly1305'],
  ['aes256ccm16'],
];

/** From port 1701 to port 1701. */
const HELLO = '06a506a5001c0000c802001400070000000100028008000000000006';

/** A packet of each kind of SA, with a Hello of L2TP in it; and one more that was changed on the way. */
function espPackets(): { readonly packets: readonly Uint8Array[]; readonly secrets: IkeSecrets } {
  const packets: Uint8Array[] = [];
  const { local, remote } = PATH;
  const children = ESP_ALGORITHMS.map(([encryption, integrity], index): ChildSa => {
    const spi = 0x1000 + index;
    const hello = Buffer.from(HELLO, 'hex');
    const options = { encryption, ...(integrity === undefined ? {} : { integrity }), spi, nextHeader: 17 };
    const { packet, encryptionKey, integrityKey } = sealEsp({ ...options, sequence: 1, payload: hello });
    const changed = sealEsp({ ...options, sequence: 2, payload: hello }).packet;
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    packets.push(packet, changed);
    const keys = { encryption, encryptionKey, ...(integrity === undefined ? {} : { integrity, integrityKey }) };
    return { ...CHILD, outboundSpi: spi, inboundSpi: spi + 0x1000, outbound: keys, inbound: keys };
  });
  const ike = { version: 1, cookieI: new Uint8Array(8), cookieR: new Uint8Array(8), encryption: 'aes128' } as const;
  const path = { local, remote };
  const whole = { ...ike, encryptionKey: new Uint8Array(16) };
  return { packets, secrets: { ikeId: 1, connection: '', path, behindNat: false, ike: whole, children } };
}

const CHILD = {
  id: 1,
  ikeId: 1,
  connection: '',
  mode: 'transport',
  extendedSequenceNumbers: false,
  udpEncapsulation: true,
  path: PATH,
  localSelectors: [],
  remoteSelectors: [],
  lifetime: 3600,
} as const;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cv-ike-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('IKE between machines of ours, and tshark', () => {
  it('is read in the same way with the keys as they are printed, whatever the algorithms', async () => {
    const talks = [...V2.map((one, at) => talkV2(one, 100 + at)), ...V1.map((one, at) => talkV1(one, 200 + at))];
    const file = join(folder, 'ike.pcapng');
    const datagrams = talks.flatMap(({ messages }) => messages).map(asDatagram);
    writePcapng(file, datagrams);
    const keys = talks
      .flatMap(({ secrets }) => secrets)
      .flatMap(keyLines)
      .map((key) => ({ connection: '', ...key }));
    const agreed = await expectTsharkToAgree(file, keys);
    expect(agreed.ike).toBe(datagrams.length);
    // All but the two or four messages in clear that begin each SA.
    expect(agreed.decrypted).toBe(datagrams.length - 2 * V2.length - 4 * V1.length);
    process.stdout.write(`tshark agrees: ${JSON.stringify(agreed)}\n`);
  });

  it('is read in the same way in fragments and in Aggressive Mode', async () => {
    const { messages, secrets } = talkInFragments();
    const aggressive = aggressiveMode();
    const file = join(folder, 'more.pcapng');
    const datagrams = [...messages, ...aggressive.messages].map(asDatagram);
    writePcapng(file, datagrams);
    const keys = [...secrets.flatMap(keyLines), { table: 'ikev1_decryption_table', line: aggressive.key } as const].map(
      (key) => ({ connection: '', ...key }),
    );
    const agreed = await expectTsharkToAgree(file, keys);
    expect(agreed.ike).toBe(datagrams.length + 1);
    expect(agreed.decrypted).toBe(datagrams.length - 4);
  });
});

describe('ESP, and tshark', () => {
  it('is opened with the same keys, whatever the algorithms, and found to be changed in the same packets', async () => {
    const { packets, secrets } = espPackets();
    const file = join(folder, 'esp.pcapng');
    const [from, to] = [
      { ...PATH.local, port: 4500 },
      { ...PATH.remote, port: 4500 },
    ];
    writePcapng(
      file,
      packets.map((bytes, at) => ({ at: at * 10, from, to, bytes })),
    );
    const keys = keyLines(secrets).map((key) => ({ connection: '', ...key }));
    const agreed = await expectTsharkToAgree(file, keys);
    expect(agreed).toMatchObject({ esp: packets.length, icvGood: packets.length / 2, l2tp: packets.length / 2 });
  });

  it('has no name of an algorithm in our tables that tshark does not know, but those that it is not shown', async () => {
    const spis = `${'01'.repeat(8)},${'02'.repeat(8)}`;
    const lines = {
      ikev2_decryption_table: [
        ...cipherTitles('ikev2').map((title) => `${spis},,,"${title}",,,"NONE [RFC4306]"`),
        ...integrityTitles('ikev2').map((title) => `${spis},,,"NULL [RFC2410]",,,"${title}"`),
      ],
      esp_sa: [
        ...cipherTitles('esp')
          .filter((title) => !title.startsWith('ChaCha20'))
          .map((title) => `"IPv4","*","*","*","${title}","","NULL",""`),
        ...integrityTitles('esp').map((title) => `"IPv4","*","*","*","NULL","","${title}",""`),
      ],
    };
    for (const [table, all] of Object.entries(lines)) writeFileSync(join(folder, table), `${all.join('\n')}\n`);
    const { stderr } = await tryRun(['tshark', '-G', 'currentprefs'], { env: { WIRESHARK_CONFIG_DIR: folder } });
    expect(stderr).not.toMatch(/invalid value|ikev2_decryption_table|esp_sa/);
    writeFileSync(join(folder, 'esp_sa'), '"IPv4","*","*","*","NULL","","no such name",""\n');
    const wrong = await tryRun(['tshark', '-G', 'currentprefs'], { env: { WIRESHARK_CONFIG_DIR: folder } });
    expect(wrong.stderr).toMatch(/invalid value/);
  });
});
