import { afterAll, afterEach, beforeAll } from 'vitest';
import { describeWithGuests } from '../lab/needs.ts';
import { PSK } from './ipsec-support.ts';
import {
  BRANCH_ID,
  BY_CERTIFICATE,
  dialsAs,
  EAP_CASES,
  isDialledAs,
  OFFICE_ID,
  ProofLab,
  SIGNATURE_CASES,
} from './proof-lab.ts';

const COMMON = {
  peer: 'strongSwan 5.9 (kernel)',
  mode: 'tunnel',
  encapsulation: 'native',
  algorithms: 'default offers',
} as const;

/** The proofs of each version, with the ESP of a kernel. */
describeWithGuests('IKEv2 with certificates and EAP, against strongSwan in a guest', () => {
  let lab: ProofLab;

  beforeAll(async () => {
    lab = await ProofLab.create({ office: 'guest', authority: 'rsa', common: { version: 2 } });
  });

  afterEach(() => lab.endTest());
  afterAll(() => lab?.remove());

  const row = { ...COMMON, version: 2 } as const;
  for (const { proof, ends } of SIGNATURE_CASES) {
    dialsAs({ ...row, proof }, () => lab, ends);
    isDialledAs({ ...row, proof }, () => lab, ends);
  }
  dialsAs({ ...row, proof: EAP_CASES.proof }, () => lab, EAP_CASES.asClient);
  isDialledAs({ ...row, proof: EAP_CASES.proof }, () => lab, EAP_CASES.asServer);

  const old = { ...COMMON, version: 1 } as const;
  const byRsa = async () =>
    ({
      there: {
        version: 1,
        certificates: { own: await lab.certificate('rsa', OFFICE_ID), authority: lab.authority.pem },
      },
      here: { version: 1, ...BY_CERTIFICATE },
      certificates: { own: await lab.certificate('rsa', BRANCH_ID) },
    }) as const;
  dialsAs({ ...old, proof: 'RSA, Main Mode' }, () => lab, byRsa);
  isDialledAs({ ...old, proof: 'RSA, Main Mode' }, () => lab, byRsa);
  dialsAs(
    { ...old, proof: 'PSK and XAUTH, Aggressive Mode' },
    () => lab,
    async () => ({
      there: { version: 1, psk: PSK, aggressive: true, xauth: true, users: { bob: "bob 'pw' 1" } },
      here: { version: 1, psk: PSK, aggressive: true, user: 'bob', password: "bob 'pw' 1" },
    }),
  );
});
