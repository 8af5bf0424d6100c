import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keyLines } from '../../firmware/diagnosis/decode/keys/key-writer.ts';
import type { IkeSecrets } from '../../firmware/protocol/ike/ike-types.ts';
import type { IkeProposal } from '../../firmware/protocol/ike/proposals.ts';
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

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cv-ike-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('IKE between machines of ours, and tshark', { timeout: 60_000 }, () => {
  it('is read in the same way with the keys as they are printed, whatever the algorithms', async () => {
    const talks = [...V2.map((one, at) => talkV2(one, 100 + at)), ...V1.map((one, at) => talkV1(one, 200 + at))];
    const file = join(folder, 'ike.pcapng');
    const datagrams = talks
      .flatMap(({ messages }) => messages)
      .map(({ octets, source, destination }, at) => {
        const marked = source.port === 4500 || destination.port === 4500;
        return {
          at: at * 10,
          from: source,
          to: destination,
          bytes: marked ? Uint8Array.of(0, 0, 0, 0, ...octets) : octets,
        };
      });
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
});
