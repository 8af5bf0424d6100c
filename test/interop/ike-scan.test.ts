import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  addresses,
  type BranchNetwork,
  createBranchNetwork,
  officeConfiguration,
} from '../../scripts/lab/branch-network.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { tryRun } from '../../scripts/lab/shell.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { IkeWitness } from './ike-witness.ts';
import { answering, ipsecStatus } from './ipsec-support.ts';

/** ike-scan writes transforms as numbers: cipher[/key length], hash, authentication (1: a key), group. */
const GROUP_14 = '--trans=7/256,2,1,14';
const DES_AND_MD5 = '--trans=1,1,1,1';

/**
 * By IKEv2 it always offers AES and DES with SHA-1 and MD5 and three groups, and takes a public value of group 2 or of
 * another.
 */
const QUESTIONS: Readonly<Record<1 | 2, { readonly fitting: string[]; readonly unfit: string[] }>> = {
  1: { fitting: [GROUP_14], unfit: [DES_AND_MD5] },
  2: { fitting: ['--ikev2', '--dhgroup=14'], unfit: ['--ikev2'] },
};

const HANDSHAKES: Readonly<Record<1 | 2, RegExp>> = {
  1: /SA=\(Enc=AES (?=.*KeyLength=256)(?=.*Hash=SHA1)(?=.*Auth=PSK).*Group=14:modp2048/,
  2: /Encr=AES_CBC,KeyLength=256 .*DH_Group=14:modp2048/,
};

describe.each([1, 2] as const)('ike-scan asks our responder by IKEv%i', (version) => {
  let network: BranchNetwork;
  let office: LabCulvert | undefined;
  const witness = new IkeWitness();

  beforeAll(async () => {
    network = await createBranchNetwork('namespace');
    await witness.start(network.office, 'eth0');
  });

  afterEach(async () => {
    await office?.remove();
    office = undefined;
  });

  afterAll(async () => {
    await witness.remove();
    network?.delete();
  });

  async function startOffice(ike: string): Promise<LabCulvert> {
    const ipsec = answering(version, { ike: [ike] });
    const configuration = officeConfiguration({ ipsec: 'branches' }, { ipsec });
    office = new LabCulvert({ name: 'office', namespace: network.office, configuration });
    await office.start();
    await waitFor('taking calls', async () => (await network.office.run('ss', '-lunH')).includes(':500 '));
    return office;
  }

  async function scan(...options: string[]): Promise<string> {
    const command = network.internet.command('ike-scan', '--sport=0', ...options, addresses.officeWan);
    const { stdout, stderr } = await tryRun(command);
    return stdout + stderr;
  }

  it('gets a handshake with what both have', async () => {
    await startOffice('aes256-sha1-modp2048');
    const answer = await scan(...QUESTIONS[version].fitting);
    expect(answer).toMatch(HANDSHAKES[version]);
    expect(answer).toMatch(/1 returned handshake/);
  });

  it('is told NO-PROPOSAL-CHOSEN otherwise, and our status says what was wrong', async () => {
    const router = await startOffice('aes256-sha256-modp2048');
    expect(await scan(...QUESTIONS[version].unfit)).toMatch(/Notify message 14 \(NO.PROPOSAL.CHOSEN\)/);
    const words = async () => (await ipsecStatus(router, 'branches'))?.reason;
    const said = await waitFor('words about the proposal', words);
    expect(said).toMatch(/no common IKE proposal: the peer offered .*; acceptable here is aes256-sha256-modp2048/);
  });

  if (version === 2) {
    it('is told which group is wanted, when it has guessed another', async () => {
      await startOffice('aes256-sha1-modp2048');
      expect(await scan('--ikev2', '--dhgroup=2')).toMatch(/Notify message 17 \(INVALID_KE_PAYLOAD\)/);
    });
  }

  it('leaves nothing behind that is up', async () => {
    const router = await startOffice('aes256-sha1-modp2048');
    for (let i = 0; i < 5; i += 1) await scan(...QUESTIONS[version].fitting);
    const { ipsec } = await router.status();
    expect(ipsec.filter(({ peerIdentity }) => peerIdentity !== '')).toEqual([]);
    expect(ipsec.flatMap(({ children }) => children)).toEqual([]);
  });

  it('is read by our decoder as by tshark', async () => {
    const { ike } = await witness.agree();
    // A question and an answer for each time that it was run.
    expect(ike).toBeGreaterThanOrEqual(2 * 7);
  });
});
