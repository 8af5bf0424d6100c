import { afterAll, describe, expect, it } from 'vitest';
import type { CertificateMaterial } from '../../../../firmware/certificates/material.ts';
import { recognise } from '../../../../firmware/diagnosis/catalogue/catalogue.ts';
import type { IpsecAuthentication } from '../../../../firmware/vpn/ipsec/ipsec-types.ts';
import { DAY, type Issue, NOW, type TestAuthority, Workshop } from '../../certificates/test-authority.ts';
import { BRANCH, dial, OFFICE, psk, servedSettings, settings, TestNetwork, TestSite } from './two-sites.ts';

const workshop = new Workshop();
afterAll(() => workshop.remove());

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
    sites.office.machine.setConnections(network.now, [servedSettings(version, { authentication: called })]);
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
  ])('of a caller: %s is said at the office, and that it was refused at the branch', (id, caller, words) => {
    const { here, there } = call(caller, strict);
    expect(there?.reason).toMatch(words);
    expect(there && recognise(there)?.id).toBe(id);
    expect(here?.cause).toBe('refused');
    expect(`${here?.reason} ${here?.remedy}`).toMatch(/certificate|believe|proof|refuse/);
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
  });
});
