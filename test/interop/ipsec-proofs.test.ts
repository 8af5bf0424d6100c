import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { LabAuthority } from '../../scripts/lab/certificates.ts';
import { IkeWitness } from './ike-witness.ts';
import type { MatrixRow } from './matrix.ts';
import {
  BRANCH_ID,
  BY_CERTIFICATE,
  byCertificates,
  dialsAs,
  EAP_CASES,
  getsAddressAs,
  isDialledAs,
  OFFICE_ID,
  ProofLab,
  SIGNATURE_CASES,
} from './proof-lab.ts';

const ALGORITHMS = { ike: ['aes128gcm16-prfsha256-x25519'], esp: ['aes128gcm16'] };
const COMMON = {
  peer: 'strongSwan 5.9 (libipsec)',
  version: 2,
  mode: 'tunnel',
  encapsulation: 'udp',
  algorithms: `${ALGORITHMS.ike} / ${ALGORITHMS.esp}`,
} satisfies Partial<MatrixRow>;

describe('IKEv2 with certificates and EAP, against strongSwan in a namespace', () => {
  let lab: ProofLab;
  let stranger: LabAuthority;
  const witness = new IkeWitness();

  beforeAll(async () => {
    stranger = await LabAuthority.create('Another authority');
    lab = await ProofLab.create({ office: 'namespace', common: { version: 2, ...ALGORITHMS } });
    await witness.start(lab.network.internet);
  });

  afterEach(async () => {
    await witness.keep(lab.branch);
    await lab.endTest();
  });

  afterAll(async () => {
    stranger?.remove();
    await witness.remove();
    await lab?.remove();
  });

  for (const { proof, ends } of SIGNATURE_CASES) {
    dialsAs({ ...COMMON, proof }, () => lab, ends);
    isDialledAs({ ...COMMON, proof }, () => lab, ends);
  }
  getsAddressAs({ ...COMMON, proof: 'ECDSA, address of a pool' }, () => lab, byCertificates('ecdsa', 'ecdsa'));
  dialsAs({ ...COMMON, proof: EAP_CASES.proof }, () => lab, EAP_CASES.asClient);
  isDialledAs({ ...COMMON, proof: EAP_CASES.proof }, () => lab, EAP_CASES.asServer);

  describe('that cannot come up', () => {
    it.each([
      ['expired', { fromDay: -20, toDay: -2 }, OFFICE_ID, /expired/],
      ['is not valid yet', { fromDay: 2, toDay: 20 }, OFFICE_ID, /not (yet )?valid|valid only from|not before/],
      ['names somebody else', {}, 'elsewhere.example', /elsewhere\.example/],
    ] as const)('because the certificate of the peer %s, says so', async (_, days, name, words) => {
      const theirs = await lab.authority.issue({ kind: 'ecdsa', name, ...days });
      await lab.startPeer({ certificates: { own: theirs, authority: lab.authority.pem } });
      const own = await lab.certificate('ecdsa', BRANCH_ID);
      await lab.expectReason(await lab.startBranch(BY_CERTIFICATE, { own }), words);
    });

    it('because another authority issued the certificate of the peer, says so', async () => {
      const theirs = await stranger.issue({ kind: 'ecdsa', name: OFFICE_ID });
      await lab.startPeer({ certificates: { own: theirs, authority: lab.authority.pem } });
      const own = await lab.certificate('ecdsa', BRANCH_ID);
      await lab.expectReason(await lab.startBranch(BY_CERTIFICATE, { own }), /Another authority|authorit/);
    });

    it('because the certificate of the peer was revoked, says so', async () => {
      const theirs = await lab.authority.issue({ kind: 'ecdsa', name: OFFICE_ID });
      const crl = await lab.authority.revoke(theirs);
      await lab.startPeer({ certificates: { own: theirs, authority: lab.authority.pem } });
      const own = await lab.certificate('ecdsa', BRANCH_ID);
      const router = await lab.startBranch(BY_CERTIFICATE, { own, lab: { certificate: lab.authority.pem, crl } });
      await lab.expectReason(router, /revoked/);
    });

    it('because the peer does not believe our certificate, says that', async () => {
      await lab.startPeer({
        certificates: { own: await lab.certificate('ecdsa', OFFICE_ID), authority: lab.authority.pem },
      });
      const own = await stranger.issue({ kind: 'ecdsa', name: BRANCH_ID });
      await lab.expectReason(
        await lab.startBranch(BY_CERTIFICATE, { own }),
        /does not accept our identity.*certificate/,
      );
    });

    it('because the password is wrong, says so', async () => {
      await lab.startPeer({
        localAuth: 'pubkey',
        remoteAuth: 'eap-mschapv2',
        users: { alice: 'alice-pw' },
        certificates: { own: await lab.certificate('ecdsa', OFFICE_ID), authority: lab.authority.pem },
      });
      await lab.expectReason(
        await lab.startBranch({ user: 'alice', password: 'wrong', authorities: ['lab'] }),
        /user alice.*password|user name/,
      );
    });
  });

  it('is read by our decoder as by tshark', async () => {
    const { ike, decrypted } = await witness.agree();
    expect(ike).toBeGreaterThan(20);
    expect(decrypted).toBeGreaterThan(10);
  });
});
