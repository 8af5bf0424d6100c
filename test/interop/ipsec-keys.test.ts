import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { DecodedMessage } from '../../firmware/diagnosis/decode/decoded.ts';
import { parseKeyText } from '../../firmware/diagnosis/decode/keys/key-files.ts';
import { hex } from '../../firmware/protocol/bytes.ts';
import type { LabCulvert } from '../../scripts/lab/culvert.ts';
import { createStateFolder, type StateFolder } from '../../scripts/lab/state-folder.ts';
import { culvert } from '../firmware/cli/culvert.ts';
import { IkeWitness } from './ike-witness.ts';
import { answering, dialling, PSK } from './ipsec-support.ts';
import { SitePair } from './site-pair.ts';

let pair: SitePair | undefined;
let witness: IkeWitness | undefined;
let folder: StateFolder | undefined;
afterEach(async () => {
  await witness?.remove();
  await pair?.remove();
  folder?.remove();
  [witness, pair, folder] = [undefined, undefined, undefined];
});

/** What `culvert show ipsec --keys` prints, for a file. */
async function printedKeys(router: LabCulvert, ...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await router.culvert('show', 'ipsec', '--keys', ...words);
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('whoever has these keys reads what these connections carry');
  return stdout;
}

/** Every key in it, in hexadecimal. */
function keysIn(text: string): readonly string[] {
  const { ikev1, ikev2, esp } = parseKeyText(text, 'printed');
  return [
    ...ikev1.map(({ key }) => key),
    ...ikev2.flatMap(({ skEi, skEr, skAi, skAr }) => [skEi, skEr, skAi, skAr]),
    ...esp.flatMap(({ encryptionKey, integrityKey }) => [encryptionKey, integrityKey]),
  ]
    .filter(({ length }) => length > 0)
    .map(hex)
    .sort();
}

const CASES = [
  { version: 1, behindNat: true, algorithms: { ike: ['aes256-sha1-ecp256'], esp: ['aes128-sha256'] } },
  { version: 2, behindNat: false, algorithms: { ike: ['aes256-sha256-ecp256'], esp: ['aes256gcm16'] } },
] as const;

describe('the keys of a tunnel between two Culverts', () => {
  for (const { version, behindNat, algorithms } of CASES) {
    const where = behindNat ? 'through a NAT' : 'without a NAT';
    it(`decrypt a capture, by IKEv${version} and ${where}, and stand nowhere else`, async () => {
      pair = await SitePair.buildWith({
        client: { ipsec: 'hq' },
        server: { ipsec: 'branches' },
        branchIpsec: dialling(version, algorithms),
        officeIpsec: answering(version, algorithms),
        behindNat,
      });
      const { branch, office, network } = pair;
      witness = new IkeWitness();
      await witness.start(network.internet);
      await office.start();
      await branch.start();
      await pair.up();
      await pair.pingThrough();

      const printed = await printedKeys(branch, 'hq');
      const keys = keysIn(printed);
      expect(keys.length).toBeGreaterThanOrEqual(3);
      const ofOffice = await office.client.ipsecKeys('office');
      expect(keysIn(ofOffice.map(({ line }) => line).join('\n'))).toEqual(keys);
      await witness.keep(branch);
      const { ike, decrypted, esp, icvGood, l2tp, ppp } = await witness.agree();
      expect(ike).toBeGreaterThanOrEqual(4);
      expect(decrypted).toBeGreaterThanOrEqual(2);
      expect(Math.min(l2tp, ppp)).toBeGreaterThan(4);
      expect(icvGood).toBe(esp);

      folder = createStateFolder('keys');
      const file = join(folder.path, 'keys');
      writeFileSync(file, printed);
      const decoded = await culvert(['decode', witness.file, '--keys', file, '--json']);
      expect(decoded).toMatchObject({ code: 0, stderr: '' });
      const messages = decoded.stdout
        .trimEnd()
        .split('\n')
        .map((line): DecodedMessage => JSON.parse(line));
      expect(messages.filter(({ error }) => error !== undefined)).toEqual([]);
      const said = messages.map(({ protocol, summary }) => `${protocol}: ${summary}`);
      for (const what of [/^l2tp: SCCRQ/, /^l2tp: ICCN/, /^ppp-lcp: Configure-Request/, /^ppp-ipcp: Configure-Ack/]) {
        expect(said).toContainEqual(expect.stringMatching(what));
      }

      const elsewhere = [
        JSON.stringify(await branch.status()),
        JSON.stringify(await office.status()),
        branch.log(),
        office.log(),
        ...(await branch.client.log()),
        JSON.stringify(await branch.configurations.running()),
      ].join('\n');
      for (const secret of [...keys, PSK]) expect(elsewhere).not.toContain(secret);

      expect(await branch.client.disconnect('hq')).toEqual({ ok: true });
      expect(await branch.client.ipsecKeys('hq')).toEqual([]);
    });
  }
});
