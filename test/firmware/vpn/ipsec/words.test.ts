import { describe, expect, it } from 'vitest';
import type { IpsecConnectionSettings } from '../../../../firmware/vpn/ipsec/ipsec-types.ts';
import { BRANCH, dial, OFFICE, psk, servedSettings, settings, TestNetwork, TestSite } from './two-sites.ts';

type Changes = Partial<IpsecConnectionSettings>;

const OTHER_ESP: Changes = { espProposals: [{ encryption: 'aes256', integrity: 'sha512', esn: false }] };
const OTHER_ID: Changes = { remoteId: { kind: 'fqdn', value: 'hq.example' } };
const NETWORKS: Changes = {
  mode: 'tunnel',
  tunnel: {
    device: 'ipsec-x',
    mtu: 1400,
    routing: 'policy',
    start: 'boot',
    localSubnets: ['10.2.0.0/24'],
    remoteSubnets: ['10.1.0.0/24'],
  },
};

/** What was set wrong, at the caller and at the called; what each side says. */
const CASES: readonly (readonly [string, Changes, Changes, RegExp, RegExp])[] = [
  ['another pre-shared key', {}, { authentication: psk('another key') }, /pre-shared key/, /pre-shared key/],
  ['other ESP algorithms', {}, OTHER_ESP, /ESP proposal/, /aes256-sha512/],
  ['another identity wanted by the caller', OTHER_ID, {}, /hq\.example/, /identity/],
  ['another identity wanted by the called', {}, OTHER_ID, /key|identity/, /hq\.example/],
  ['tunnel mode at the called', {}, NETWORKS, /\S/, /tunnel mode/],
];

describe.each([1, 2] as const)('what is said with IKEv%i', (version) => {
  it.each(CASES)('names %s at both ends, with a remedy', (_, caller, called, here, there) => {
    const branch = new TestSite(BRANCH, 1);
    const office = new TestSite(OFFICE, 2);
    const network = new TestNetwork(branch, office);
    branch.machine.setConnections(network.now, [settings(version, caller)]);
    office.machine.setConnections(network.now, [servedSettings(version, called)]);
    office.machine.serve(network.now, 'callers');
    dial(network, branch);
    network.run(60);
    const { failure } = branch.last('channel-down');
    expect(`${failure.reason}; ${failure.remedy}`).toMatch(here);
    expect(failure.cause).toMatch(/refused|no-proposal/);
    const [info] = office.machine.views(network.now, 0);
    expect(`${info?.failure?.reason}; ${info?.failure?.remedy}`).toMatch(there);
    expect(branch.sas.size + branch.policies.size + office.sas.size + office.policies.size).toBe(0);
  });

  it('says that nobody answered on port 500', () => {
    const branch = new TestSite(BRANCH, 1);
    const network = new TestNetwork(branch);
    branch.machine.setConnections(network.now, [settings(version)]);
    dial(network, branch);
    network.run(60);
    expect(branch.last('channel-down').failure).toMatchObject({
      cause: 'silence',
      reason: expect.stringMatching(/:500/),
    });
  });

  it('says why a call cannot be made at all', () => {
    const branch = new TestSite(BRANCH, 1);
    const network = new TestNetwork(branch);
    branch.machine.setConnections(network.now, [servedSettings(version)]);
    dial(network, branch, 'callers');
    expect(branch.last('channel-down').failure.reason).toMatch(/knows nobody to call/);
    dial(network, branch, 'nothing');
    expect(branch.last('channel-down').failure.reason).toBe('there is no IPsec connection nothing');
  });
});
