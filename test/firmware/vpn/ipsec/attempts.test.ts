import { describe, expect, it } from 'vitest';
import { BRANCH, dial, OFFICE, servedSettings, settings, TestNetwork, TestSite } from './two-sites.ts';

/** Not both of one make: ESP goes bare without a NAT. */
const STRANGERS = { encapsulateAmongOurselves: false };

function strangers(version: 1 | 2, withProposals = true) {
  const branch = new TestSite(BRANCH, 1, STRANGERS);
  const office = new TestSite(OFFICE, 2, STRANGERS);
  const network = new TestNetwork(branch, office);
  const { ikeProposals: _, espProposals: __, ...plain } = settings(version);
  branch.machine.setConnections(network.now, [withProposals ? settings(version) : plain]);
  office.machine.setConnections(network.now, [servedSettings(version)]);
  office.machine.serve(network.now, 'callers');
  return { branch, office, network };
}

/** As a client does that dials until it is up. */
function dialUntilUp(network: TestNetwork, site: TestSite, attempts: number): number {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const id = dial(network, site);
    network.run(60);
    if (site.up.has(id)) return attempt;
  }
  throw new Error(`not up after ${attempts} attempts`);
}

describe.each([1, 2] as const)('attempts with IKEv%i', (version) => {
  it('sends ESP bare, without ports, where nothing speaks for UDP', () => {
    const { branch, network } = strangers(version);
    const id = dial(network, branch);
    network.run(2);
    expect(branch.sending(id)).toMatchObject({
      udpEncapsulation: false,
      followPeer: false,
      path: { local: { address: BRANCH, port: 0 }, remote: { address: OFFICE, port: 0 } },
    });
  });

  it('reaches a peer whose port 500 is blocked, and begins with 4500 the next time', () => {
    const { branch, network } = strangers(version);
    network.lost = (_, path) => path.remote.port === 500;
    expect(dialUntilUp(network, branch, 3)).toBe(2);
    expect(branch.all('channel-down')[0]?.failure).toMatchObject({ cause: 'silence' });
    expect(branch.all('channel-down')[0]?.failure.reason).toMatch(/500/);
    expect(branch.memory.get('hq')).toEqual({ offer: 'modern', port: 4500, udpEncapsulation: true });
    const restarted = new TestSite(BRANCH, 3, STRANGERS);
    restarted.memory.set('hq', { offer: 'modern', port: 4500, udpEncapsulation: true });
    const next = new TestNetwork(restarted, ...network.sites.filter((site) => site !== branch));
    next.lost = network.lost;
    next.now = network.now;
    restarted.machine.setConnections(next.now, [settings(version)]);
    expect(dialUntilUp(next, restarted, 1)).toBe(1);
  });

  it('puts ESP in UDP after a mute channel, and takes it out again after another', () => {
    const { branch, network } = strangers(version);
    const wrapped = [0, 1, 2].map(() => {
      const id = dial(network, branch);
      network.run(2);
      const { udpEncapsulation } = branch.machine.channel(id) ?? {};
      branch.machine.reportMute(id);
      branch.machine.close(network.now, id);
      network.run(2);
      return udpEncapsulation;
    });
    expect(wrapped).toEqual([false, true, false]);
  });

  it('keeps the mapping alive where it has pretended a NAT', () => {
    const { branch, network } = strangers(version);
    branch.machine.setConnections(network.now, [settings(version, { encapsulation: 'always' })]);
    dial(network, branch);
    network.run(45);
    expect(branch.all('nat-keepalive')).toHaveLength(2);
  });

  it('calls from an ephemeral port straight to 4500', () => {
    const { branch, network } = strangers(version);
    const id = branch.newId();
    const request = { connection: 'hq', remoteAddress: OFFICE, localAddress: BRANCH, ephemeralPort: 41_234 };
    branch.machine.dial(network.now, id, request);
    network.run(2);
    expect(branch.sending(id)).toMatchObject({
      udpEncapsulation: true,
      path: { local: { port: 41_234 }, remote: { port: 4500 } },
    });
    expect(branch.all('send').every(({ path, encapsulation }) => encapsulation && path.remote.port === 4500)).toBe(
      true,
    );
  });

  // That of IKEv1 is but a shorter one.
  if (version === 2) {
    it('offers the legacy list to a peer that refuses the modern one', () => {
      const { branch, office, network } = strangers(version, false);
      const legacy = {
        ikeProposals: [{ encryption: '3des', integrity: 'sha1', prf: 'sha1', group: 'modp1024' }],
        espProposals: [{ encryption: '3des', integrity: 'sha1', esn: false }],
      };
      office.machine.setConnections(network.now, [servedSettings(version, legacy)]);
      const attempt = dialUntilUp(network, branch, 3);
      expect(attempt).toBe(2);
      expect(branch.memory.get('hq')?.offer).toBe('legacy');
    });
  }

  it('limits what 3DES may carry, and the packets of AES-GCM', () => {
    const { branch, office, network } = strangers(version);
    const algorithms = version === 1 ? ['3des', 'sha1'] : ['aes128gcm16', undefined];
    const [encryption = '', integrity] = algorithms;
    const espProposals = [{ encryption, ...(integrity === undefined ? {} : { integrity }), esn: false }];
    branch.machine.setConnections(network.now, [settings(version, { espProposals })]);
    office.machine.setConnections(network.now, [servedSettings(version, { espProposals })]);
    const id = dial(network, branch);
    network.run(2);
    const { lifetimes } = branch.sending(id) ?? {};
    expect(lifetimes?.seconds).toEqual({ soft: 3600, hard: 3600 });
    expect(lifetimes?.octets?.hard).toBe(version === 1 ? 2 ** 30 : undefined);
    expect(lifetimes?.packets === undefined).toBe(version === 1);
    expect(lifetimes?.packets?.hard ?? 0).toBeLessThan(2 ** 32);
  });
});
