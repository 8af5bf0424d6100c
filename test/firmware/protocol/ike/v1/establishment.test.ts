import { describe, expect, it } from 'vitest';
import type { ChildSa, IkeConnection } from '../../../../../firmware/protocol/ike/ike-types.ts';
import type { Host } from './network.ts';
import {
  branch,
  CLIENT,
  connect,
  HEAD_OFFICE,
  headOffice,
  INSIDE,
  initiate,
  l2tpClient,
  l2tpServer,
  makePair,
  OUTSIDE,
  range,
  SERVER,
} from './setup.ts';

function onlyChild(host: Host): ChildSa {
  const [up, ...others] = host.all('child-up');
  if (up === undefined || others.length > 0)
    throw new Error(`${host.name} has not one child SA: ${JSON.stringify(host.events)}`);
  return up.child;
}

/** Each side decrypts what the other encrypts. */
function expectMatch(client: ChildSa, server: ChildSa): void {
  expect(client.outbound).toEqual(server.inbound);
  expect(client.inbound).toEqual(server.outbound);
  expect([client.outboundSpi, client.inboundSpi]).toEqual([server.inboundSpi, server.outboundSpi]);
  expect(client.inbound.encryptionKey).not.toEqual(client.outbound.encryptionKey);
}

describe('setting up L2TP/IPsec in transport mode', () => {
  it('takes six messages of Main Mode and three of Quick Mode', () => {
    const { client, server } = connect();
    expect(client.trace).toEqual([
      'sent Main Mode 1',
      'received Main Mode 2',
      'sent Main Mode 3',
      'received Main Mode 4',
      'sent Main Mode 5',
      'received Main Mode 6',
      'sent Quick Mode 1',
      'received Quick Mode 2',
      'sent Quick Mode 3',
    ]);
    expectMatch(onlyChild(client), onlyChild(server));
    const udp = { protocol: 17, firstPort: 1701, lastPort: 1701 };
    const ours = { ...udp, firstAddress: CLIENT, lastAddress: CLIENT };
    const theirs = { ...udp, firstAddress: SERVER, lastAddress: SERVER };
    expect(onlyChild(client)).toMatchObject({ localSelectors: [ours], remoteSelectors: [theirs] });
    expect(onlyChild(server)).toMatchObject({ localSelectors: [theirs], remoteSelectors: [ours] });
    expect(onlyChild(client)).toMatchObject({ mode: 'transport', udpEncapsulation: false, lifetime: 3600 });
    expect(server.last('ike-up')).toMatchObject({
      initiator: false,
      peer: { identity: { kind: 'ipv4', value: CLIENT } },
    });
  });

  it('floats to port 4500 and tells the original addresses where the client is behind a NAT', () => {
    const { client, server } = connect({ clientBehindNat: true });
    expectMatch(onlyChild(client), onlyChild(server));
    expect(client.last('ike-up')).toMatchObject({ peer: { natLocal: true, natRemote: false } });
    expect(server.last('ike-up')).toMatchObject({ peer: { natLocal: false, natRemote: true } });
    const child = onlyChild(server);
    expect(child).toMatchObject({
      udpEncapsulation: true,
      natOriginal: { remote: INSIDE },
      remoteSelectors: [{ protocol: 17, firstPort: 1701, firstAddress: OUTSIDE, lastAddress: OUTSIDE }],
    });
    expect(child.path.local.port).toBe(4500);
    expect(child.path.remote.address).toBe(OUTSIDE);
    // The server sees the client's packets come from the NAT: that is what the client's peer calls it.
    expect(onlyChild(client)).toMatchObject({ udpEncapsulation: true, natOriginal: { local: OUTSIDE } });
    expect(onlyChild(client).path).toMatchObject({ local: { port: 4500 }, remote: { address: SERVER, port: 4500 } });
  });

  it('wraps ESP in UDP without a NAT where either side pretends one', () => {
    const pretend: [IkeConnection, IkeConnection][] = [
      [l2tpClient({ forceEncapsulation: true }), l2tpServer()],
      [l2tpClient(), l2tpServer({ forceEncapsulation: true })],
    ];
    for (const [own, their] of pretend) {
      const { client, server } = connect({ client: own, server: their });
      expectMatch(onlyChild(client), onlyChild(server));
      expect([onlyChild(client).udpEncapsulation, onlyChild(server).udpEncapsulation]).toEqual([true, true]);
      expect(onlyChild(server).path.local.port).toBe(4500);
    }
  });

  it('takes a client that names a source port of its own, or none', () => {
    for (const port of [0, 50_000]) {
      const own = l2tpClient({ transportPorts: { protocol: 17, local: port, remote: 1701 } });
      const { server } = connect({ client: own, clientBehindNat: true });
      expect(onlyChild(server).remoteSelectors[0]?.firstPort).toBe(port);
    }
  });
});

describe('setting up a tunnel', () => {
  it('makes a child SA for the two networks', () => {
    const { client, server } = connect({ client: branch(), server: headOffice() });
    expectMatch(onlyChild(client), onlyChild(server));
    expect(onlyChild(client)).toMatchObject({
      mode: 'tunnel',
      localSelectors: branch().localSelectors,
      remoteSelectors: branch().remoteSelectors,
    });
    expect(onlyChild(client).natOriginal).toBeUndefined();
  });

  it('makes one child SA for each pair of networks', () => {
    const second = { protocol: 0, firstPort: 0, lastPort: 65535, firstAddress: '10.3.0.7', lastAddress: '10.3.0.99' };
    const own = branch({ remoteSelectors: [...(branch().remoteSelectors ?? []), second] });
    const their = headOffice({ localSelectors: [...(headOffice().localSelectors ?? []), second] });
    const { client, server } = connect({ client: own, server: their });
    expect(client.all('child-up')).toHaveLength(2);
    expect(server.all('child-up').map(({ child }) => child.localSelectors[0])).toEqual(their.localSelectors);
  });
});

describe('many networks', () => {
  const subnets = (second: number) =>
    [0, 1, 2, 3, 4].map((at) => range(`10.${second}.${at}.0`, `10.${second}.${at}.255`));
  const own = branch({ localSelectors: subnets(1), remoteSelectors: [HEAD_OFFICE] });
  const their = headOffice({ localSelectors: [HEAD_OFFICE], remoteSelectors: subnets(1) });

  it('have one Quick Mode at a time: some peers forget what they know of more', () => {
    const { client, server } = connect({ client: own, server: their });
    let [open, most] = [0, 0];
    for (const line of client.trace) {
      if (line === 'sent Quick Mode 1') open += 1;
      if (line === 'received Quick Mode 2') open -= 1;
      most = Math.max(most, open);
    }
    expect(most).toBe(1);
    expect([client.all('child-up').length, server.all('child-up').length]).toEqual([5, 5]);
  });

  it('all come up where one of them is refused, and where messages are lost', () => {
    const pair = makePair({
      client: own,
      server: headOffice({ remoteSelectors: subnets(1).slice(1) }),
      faults: { loss: 0.1 },
    });
    initiate(pair);
    pair.network.run(90_000);
    expect(new Set(pair.client.all('child-up').map(({ child }) => child.localSelectors[0]?.firstAddress)).size).toBe(4);
    expect(pair.client.all('ike-down')).toEqual([]);
  });
});

describe('algorithms', () => {
  const ike = (encryption: string, hash: string, group: string) => ({ encryption, integrity: hash, prf: hash, group });

  it('agree whatever the cipher, hash and group', () => {
    const ikeSuites = [
      ike('aes256', 'sha512', 'x25519'),
      ike('3des', 'md5', 'modp1024'),
      ike('aes192', 'sha1', 'modp2048'),
      ike('aes256', 'sha384', 'ecp384'),
    ];
    const espSuites = [
      { encryption: 'aes256gcm16', esn: false },
      { encryption: '3des', integrity: 'md5', esn: false },
      { encryption: 'aes256', integrity: 'sha256', group: 'modp1024', esn: false },
      { encryption: 'aes256ctr', integrity: 'sha512', group: 'ecp256', esn: false },
    ];
    for (const [index, suite] of ikeSuites.entries()) {
      const esp = espSuites[index] ?? { encryption: 'aes128', integrity: 'sha1', esn: false };
      const extra = { ikeProposals: [suite], espProposals: [esp] };
      const { client, server } = connect({ client: l2tpClient(extra), server: l2tpServer(extra) });
      expectMatch(onlyChild(client), onlyChild(server));
      expect(client.last('ike-up')?.proposal).toEqual(suite);
      expect(client.endpoint.views()[0]?.children[0]?.proposal).toEqual(esp);
    }
  });

  it('uses perfect forward secrecy when the peer asks for it and nothing is configured', () => {
    const espProposals = [{ encryption: 'aes128', integrity: 'sha1', group: 'ecp256', esn: false }];
    const { client, server } = connect({ client: l2tpClient({ espProposals }) });
    expectMatch(onlyChild(client), onlyChild(server));
    expect(server.endpoint.views()[0]?.children[0]?.proposal.group).toBe('ecp256');
  });

  it('lets the shorter lifetime win on both sides', () => {
    const short = { childLifetime: 600, ikeLifetime: 1200 };
    for (const [own, their] of [
      [short, {}],
      [{}, short],
    ]) {
      const { client, server, network } = connect({ client: l2tpClient(own), server: l2tpServer(their) });
      const shorter = their === short ? server : client;
      expect(onlyChild(shorter).lifetime).toBe(600);
      const [view] = shorter.endpoint.views();
      expect((view?.expiresAt ?? 0) - network.now).toBeLessThanOrEqual(1200_000);
      expect([client.all('ike-down'), server.all('ike-down')]).toEqual([[], []]);
    }
  });
});
