import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addresses,
  type BranchNetwork,
  branchConfiguration,
  createBranchNetwork,
  officeConfiguration,
  officeTaps,
} from '../../scripts/lab/branch-network.ts';
import { LabCulvert } from '../../scripts/lab/culvert.ts';
import { type Guest, startGuest } from '../../scripts/lab/guest.ts';
import { addTap } from '../../scripts/lab/namespaces.ts';
import { waitFor } from '../../scripts/lab/wait.ts';
import { dialWithXl2tpd } from '../../scripts/lab/xl2tpd-lac.ts';
import { startXl2tpdLns } from '../../scripts/lab/xl2tpd-lns.ts';
import { expectAgreement } from './decode-agrees.ts';
import { Recording } from './recording.ts';
import { expectFailure, ping, waitForState } from './site-pair.ts';

/** EAP is MD5: pppd knows no other method without certificates. */
const METHODS = ['pap', 'chap', 'mschapv1', 'mschapv2', 'eap'] as const;
const recording = new Recording();
afterAll(() => recording.remove());

const users = [{ name: 'alice', password: 'alice-pw' }];

describe('xl2tpd and pppd as the server', () => {
  let network: BranchNetwork;
  let guest: Guest;
  beforeAll(async () => {
    network = await createBranchNetwork('guest');
    guest = await startGuest({
      name: 'office',
      namespace: network.internet,
      gateway: addresses.internet,
      cards: [
        { tap: officeTaps.wan, addresses: [`${addresses.officeWan}/24`] },
        { tap: officeTaps.lan, addresses: [`${addresses.officeLan}/24`] },
      ],
    });
    await guest.exec('sysctl -qw net.ipv4.ip_forward=1');
    await recording.start(network.internet, 'br0', 'udp');
  }, 120_000);
  afterAll(async () => {
    await recording.stop();
    await guest?.stop();
    network?.delete();
  });

  async function dial(authentication: (typeof METHODS)[number], client: object, secret?: string): Promise<LabCulvert> {
    const server = await startXl2tpdLns(guest, {
      users,
      authentication,
      pool: '10.98.0.10-10.98.0.60',
      insideAddress: '10.98.0.1',
      ...(secret === undefined ? {} : { secret }),
    });
    const branch = new LabCulvert({
      name: 'branch',
      namespace: network.branch,
      configuration: branchConfiguration({ masquerade: true, ...client }),
    });
    await branch.start();
    const remove = branch.remove.bind(branch);
    branch.remove = async () => {
      await remove();
      await server.stop();
    };
    return branch;
  }

  for (const method of METHODS) {
    it(`takes our call with ${method}, and the branch reaches the LAN behind it`, async () => {
      const branch = await dial(method, { authentication: [method] });
      try {
        await waitForState(branch, 'hq', 'up');
        expect(await branch.ppp('hq')).toMatchObject({ authentication: method, peerAddress: '10.98.0.1' });
        await waitFor('an answer through xl2tpd', () => ping(network.branchHost, addresses.officeHost));
      } finally {
        await branch.remove();
      }
    });
  }

  it('carries IPv6 between the two link-local addresses, and from us to an address of its own', async () => {
    const branch = await dial('mschapv2', { ipv6: true, routes: [addresses.officeNetwork, 'fd00:99::/64'] });
    try {
      const { peerAddress } = await ipv6Of(branch, 'hq');
      expect(await guest.exec('ip -6 address show dev ppp0 scope link')).toContain(peerAddress);
      await waitFor('its link-local answer', () => ping(network.branch, `${peerAddress}%l2tp-hq`));
      await guest.exec('ip -6 address add fd00:99::1/128 dev ppp0');
      await waitFor('an answer from its own address', () => ping(network.branch, 'fd00:99::1'));
      await waitFor('IPv4 beside it', () => ping(network.branchHost, addresses.officeHost));
    } finally {
      await branch.remove();
    }
  });

  it('takes our call with a tunnel secret', async () => {
    const branch = await dial('mschapv2', { secret: 'tunnelsecret' }, 'tunnelsecret');
    try {
      await waitForState(branch, 'hq', 'up');
    } finally {
      await branch.remove();
    }
  });

  it('refuses a wrong password, and we say so', async () => {
    const branch = await dial('mschapv2', { password: 'wrong-pw' });
    try {
      await expectFailure(branch, 'hq', /^authentication: /, /password/);
    } finally {
      await branch.remove();
    }
  });
});

describe('xl2tpd and pppd as the client', () => {
  let network: BranchNetwork;
  let guest: Guest;
  beforeAll(async () => {
    network = await createBranchNetwork('namespace');
    await addTap({ namespace: network.internet, device: 'caller', bridge: 'br0' });
    guest = await startGuest({
      name: 'caller',
      namespace: network.internet,
      gateway: addresses.internet,
      cards: [{ tap: 'caller', addresses: ['10.20.0.30/24'] }],
    });
    await recording.start(network.internet, 'br0', 'udp');
  }, 120_000);
  afterAll(async () => {
    await recording.stop();
    await guest?.stop();
    network?.delete();
  });

  for (const method of METHODS) {
    it(`dials us with ${method} and reaches the LAN behind us`, async () => {
      const secret = method === 'chap' ? { secret: 'tunnelsecret' } : {};
      const office = new LabCulvert({
        name: 'office',
        namespace: network.office,
        configuration: officeConfiguration({ authentication: [method], ...secret }),
      });
      await office.start();
      try {
        const call = { server: addresses.officeWan, user: 'alice', password: 'alice-pw', authentication: method };
        const caller = await dialWithXl2tpd(guest, { ...call, ...secret });
        expect(caller.localAddress).toBe('10.98.0.10');
        await guest.exec(`ip route replace ${addresses.officeNetwork} dev ${caller.device}`);
        await waitFor('an answer through us', async () => {
          return (await guest.tryExec(`ping -n -c 1 -W 1 ${addresses.officeHost}`)).code === 0;
        });
        expect(await office.ppp('alice')).toMatchObject({ state: 'up', authentication: method });
        await caller.stop();
        await waitFor('the end of the session', async () => (await office.l2tp('office'))?.sessions.length === 0);
      } finally {
        await office.remove();
      }
    });
  }

  it('makes an address from what we advertise, and reaches our IPv6 networks', async () => {
    const configuration = officeConfiguration({ ipv6: { pool: 'fd00:98::/48', localAddress: 'fd00:98::1' } });
    const office = new LabCulvert({ name: 'office', namespace: network.office, configuration });
    await office.start();
    try {
      const call = { server: addresses.officeWan, user: 'alice', password: 'alice-pw', ipv6: true };
      const { device, stop } = await dialWithXl2tpd(guest, call);
      const { localAddress, peerAddress, prefix = '' } = await ipv6Of(office, 'alice');
      const own = prefix.replace(/\/64$/, '');
      await waitFor('its address', async () => {
        return (await guest.exec(`ip -6 address show dev ${device} scope global`)).includes(own.replace(/::$/, ':'));
      });
      const canPing = async (to: string) => (await guest.tryExec(`ping -n -c 1 -W 1 ${to}`)).code === 0;
      await waitFor('our link-local answer', () => canPing(`${localAddress}%${device}`));
      // By the default route that it has from us.
      await waitFor('the answer of our own address', () => canPing('fd00:98::1'));
      expect(await ping(network.office, `${peerAddress}%l2tp-office`)).toBe(true);
      await stop();
      await waitFor('the end of the session', async () => (await office.l2tp('office'))?.sessions.length === 0);
    } finally {
      await office.remove();
    }
  });
});

describe('what xl2tpd and Culvert said to each other', () => {
  it('is decoded as tshark decodes it', async () => {
    await expectAgreement(recording, [
      'l2tp SCCRQ',
      'l2tp SCCRP',
      'l2tp SCCCN',
      'l2tp ICRQ',
      'l2tp ICRP',
      'l2tp ICCN',
      'l2tp StopCCN',
      'ppp-lcp Configure-Request',
      'ppp-lcp Terminate-Request',
      'ppp-pap Authenticate-Request',
      'ppp-chap Response',
      'ppp-chap Failure',
      'ppp-ipcp Configure-Nak',
    ]);
  });
});

/** The IPv6 of a link, once that is up. */
function ipv6Of(router: LabCulvert, name: string) {
  return waitFor(`IPv6 of ${name}`, async () => (await router.ppp(name))?.ipv6, { timeoutMs: 30_000 });
}
