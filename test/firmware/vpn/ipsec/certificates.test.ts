import { afterAll, describe, expect, it } from 'vitest';
import type { CertificateMaterial } from '../../../../firmware/certificates/material.ts';
import { recognise } from '../../../../firmware/diagnosis/catalogue/catalogue.ts';
import type { IpsecAuthentication } from '../../../../firmware/vpn/ipsec/ipsec-types.ts';
import { DAY, type Issue, NOW, type TestAuthority, Workshop } from '../../certificates/test-authority.ts';
import { BRANCH, dial, OFFICE, psk, servedSettings, settings, TestNetwork, TestSite } from './two-sites.ts';

const workshop = new Workshop();
afterAll(() => workshop.remove());

/** What the owner of the certificate says, by what the judge found. */
const JUDGED = {
  'certificate-expired': /it has expired, or .* is valid until 2026-11-26 12:00 UTC, and .* 2026-11-27 12:00 UTC$/,
  'certificate-early': /it is not valid yet, or .* is from 2026-11-28 12:00 UTC on, and .* 2026-11-27 12:00 UTC$/,
  'certificate-authority': /it is of no authority that is believed there; .* was issued by "CN=Other CA"$/,
  'certificate-revoked': /it was revoked, or one above it was; .* serial number [0-9a-f]+$/,
  'identity-wrong': /it is not for the identity that is expected there; .* is for somebody\.example$/,
};

/** IKEv1 signs by RSA alone. */
const kinds = { 1: 'rsa:2048', 2: 'ec:P-256' } as const;

function names(name: string): Issue {
  return { subject: `/O=Acme/CN=${name}`, extensions: [`subjectAltName=DNS:${name}.example`] };
}

function authentication(authority: TestAuthority, issue: Issue, trusted: CertificateMaterial): IpsecAuthentication {
  const { pem, keyPem } = authority.issue(issue);
  return { kind: 'certificate', own: { certificate: pem, key: keyPem }, authorities: [trusted] };
}

describe.each([1, 2] as const)('certificates with IKEv%i', (version) => {
  const key = kinds[version];
  const acme = workshop.authority('/CN=Acme CA', { key });
  const other = workshop.authority('/CN=Other CA', { key });
  const stolen = acme.issue({ ...names('branch'), key });
  const trusted = { certificate: acme.own.pem };
  const office = authentication(acme, { ...names('hq'), key }, trusted);
  const branch = authentication(acme, { ...names('branch'), key }, trusted);

  /** What both ends say when the branch has called the office. */
  function call(caller: IpsecAuthentication, called: IpsecAuthentication, remoteId = 'hq.example', clock = true) {
    const options = { wall: () => ({ at: NOW, trusted: clock }) };
    const sites = { branch: new TestSite(BRANCH, 1, options), office: new TestSite(OFFICE, 2, options) };
    const network = new TestNetwork(sites.branch, sites.office);
    const expected = { kind: 'fqdn', value: remoteId } as const;
    sites.branch.machine.setConnections(network.now, [
      settings(version, { authentication: caller, remoteId: expected }),
    ]);
    const callers = { authentication: called, remoteId: { kind: 'fqdn', value: 'branch.example' } } as const;
    sites.office.machine.setConnections(network.now, [servedSettings(version, callers)]);
    sites.office.machine.serve(network.now, 'callers');
    dial(network, sites.branch);
    network.run(60);
    const down = sites.branch.all('channel-down').at(-1)?.failure;
    const [view] = sites.office.machine.views(network.now, 0);
    const [mine] = sites.branch.machine.views(network.now, 0);
    return {
      here: down,
      there: view?.failure,
      peer: mine?.ikeSas[0]?.peerIdentity,
      callers: view?.ikeSas[0]?.peerIdentity,
    };
  }

  it('tell each end who the other one is', () => {
    expect(call(branch, office)).toMatchObject({ here: undefined, peer: 'hq.example', callers: 'branch.example' });
  });

  const crl = acme.revocationList([[stolen, 'keyCompromise']]);
  const bad = (issue: Issue) => authentication(acme, { ...names('branch'), key, ...issue }, trusted);
  const revoked = {
    kind: 'certificate',
    own: { certificate: stolen.pem, key: stolen.keyPem },
    authorities: [trusted],
  } as const;
  const strict = { ...office, authorities: [{ ...trusted, crl }] };
  const foreign = authentication(other, { ...names('branch'), key }, trusted);

  it.each([
    ['certificate-expired', bad({ notBefore: NOW - 2 * DAY, notAfter: NOW - DAY }), /until 2026-11-26 12:00 UTC/],
    ['certificate-early', bad({ notBefore: NOW + DAY }), /from 2026-11-28 12:00 UTC on/],
    ['certificate-authority', foreign, /issued by "CN=Other CA"/],
    ['certificate-revoked', revoked, /because its key is in the wrong hands/],
    ['identity-wrong', bad(names('somebody')), /^the peer calls itself somebody\.example, /],
  ] as const)(
    'of a caller: %s is said at the office, and at the branch as the word of the office',
    (id, caller, words) => {
      const { here, there } = call(caller, strict);
      expect(there?.reason).toMatch(words);
      expect(there && recognise(there)?.id).toBe(id);
      expect(here?.cause).toBe('refused');
      expect(here?.reason).toMatch(JUDGED[id]);
      expect(here?.reason).toMatch(/with our certificate: it says, before it has proved who it is, that/);
      expect(here && recognise(here)?.id).toBe('own-certificate-refused');
    },
  );

  it.each([
    ['certificate-expired', { notBefore: NOW - 2 * DAY, notAfter: NOW - DAY }],
    ['certificate-early', { notBefore: NOW + DAY }],
    ['certificate-authority', 'foreign'],
    ['certificate-revoked', 'revoked'],
    ['identity-wrong', names('somebody')],
  ] as const)('of the office: %s is said at the branch, and at the office as the word of the branch', (id, issue) => {
    const hq = acme.issue({ ...names('hq'), key });
    const called: IpsecAuthentication =
      issue === 'foreign'
        ? authentication(other, { ...names('hq'), key }, trusted)
        : issue === 'revoked'
          ? { kind: 'certificate', own: { certificate: hq.pem, key: hq.keyPem }, authorities: [trusted] }
          : authentication(acme, { ...names('hq'), key, ...issue }, trusted);
    const list = acme.revocationList([[hq, 'keyCompromise']]);
    const { here, there } = call(
      { ...branch, authorities: [{ ...trusted, crl: list }] } as IpsecAuthentication,
      called,
    );
    expect(here && recognise(here)?.id).toBe(id);
    expect(there?.reason).toMatch(JUDGED[id]);
    expect(there?.reason).toMatch(/with our certificate: it says that/);
    expect(there && recognise(there)?.id).toBe('own-certificate-refused');
  });

  it.each([
    ['certificate-expired', { notBefore: NOW - 2 * DAY, notAfter: NOW - DAY }],
    ['certificate-early', { notBefore: NOW + DAY }],
  ])('of the office: %s is said at the branch, and what the clock has to do with it', (id, issue) => {
    const called = authentication(acme, { ...names('hq'), key, ...issue }, trusted);
    const { here } = call(branch, called, 'hq.example', false);
    expect(here && recognise(here)?.id).toBe(id);
    expect(here?.reason).toMatch(/the clock of this router has not been set/);
  });

  it('of the office for another name than the one that is wanted is told as such', () => {
    const { here } = call(branch, office, 'other.example');
    expect(here?.reason).toMatch(/^the peer calls itself hq.example, .* other.example is /);
  });

  it('and pre-shared keys do not go together, and both ends say so', () => {
    const { here } = call(psk('a key that is shared'), office);
    expect(here?.reason).toMatch(/\S/);
    expect(here?.cause).toMatch(/refused|no-proposal/);
  });
});

describe('an identity', () => {
  it('that is not in the certificate is refused, whatever the peer signs', () => {
    const acme = workshop.authority('/CN=Acme CA');
    const trusted = { certificate: acme.own.pem };
    const office = new TestSite(OFFICE, 2, { wall: () => ({ at: NOW, trusted: true }) });
    const branch = new TestSite(BRANCH, 1, { wall: () => ({ at: NOW, trusted: true }) });
    const network = new TestNetwork(branch, office);
    const caller = authentication(acme, names('branch'), trusted);
    const called = authentication(acme, names('hq'), trusted);
    const liar = { kind: 'fqdn', value: 'director.example' } as const;
    branch.machine.setConnections(network.now, [settings(2, { authentication: caller, localId: liar })]);
    office.machine.setConnections(network.now, [servedSettings(2, { authentication: called })]);
    office.machine.serve(network.now, 'callers');
    dial(network, branch);
    network.run(60);
    const [view] = office.machine.views(network.now, 0);
    expect(view?.failure?.reason).toMatch(
      /says that it is director\.example, and the certificate is for branch\.example/,
    );
    expect(view?.failure && recognise(view.failure)?.id).toBe('certificate-name');
    const here = branch.all('channel-down').at(-1)?.failure;
    expect(here?.reason).toMatch(/it is not for the identity that is expected there; .* is for branch\.example$/);
  });
});
