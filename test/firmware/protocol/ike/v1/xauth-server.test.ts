import { describe, expect, it } from 'vitest';
import { shortAttribute } from '../../../../../firmware/protocol/ike/v1/attribute-payload.ts';
import { deletePayload } from '../../../../../firmware/protocol/ike/v1/informational.ts';
import {
  ConfigAttributeType as Config,
  ConfigType,
  PayloadType,
  XauthAttribute as Xauth,
} from '../../../../../firmware/protocol/ike/v1/numbers.ts';
import { byCertificate } from './certificates.ts';
import { asking } from './gateway.ts';
import { branch, CLIENT, HEAD_OFFICE, headOffice, range, SERVER } from './setup.ts';
import { ALICE, addressesOf, directory, meet, reasons, rough, server, user } from './xauth-setup.ts';

describe('a login that is good', () => {
  it.each([
    ['Main Mode, pre-shared key', {}, {}],
    ['Aggressive Mode, pre-shared key', { aggressive: true }, { aggressive: true }],
    ['Main Mode, RSA signatures', byCertificate('client'), byCertificate('server')],
    [
      'Aggressive Mode, RSA signatures',
      { aggressive: true, ...byCertificate('client') },
      { aggressive: true, ...byCertificate('server') },
    ],
  ])('lets the user in, and gives an address (%s)', (_mode, own, their) => {
    const { client, hub } = meet(user(own), server(undefined, their));
    expect(hub.all('ike-up').map(({ peer }) => peer.user)).toEqual(['alice']);
    expect(hub.endpoint.views().map(({ peer }) => peer?.user)).toEqual(['alice']);
    expect(client.last('ike-up')?.configuration).toEqual({ addresses: ['10.99.0.7'], dns: ['10.2.0.53'] });
    expect(client.last('ike-up')?.peer.user).toBeUndefined();
    const lines = hub.events.flatMap((event) =>
      event.kind === 'trace'
        ? [`${event.direction} ${event.message}${event.detail === undefined ? '' : ` (${event.detail})`}`]
        : event.kind === 'ike-up' || event.kind === 'child-up'
          ? [event.kind]
          : [],
    );
    expect(lines.slice(lines.indexOf('sent XAUTH REQUEST'))).toEqual([
      'sent XAUTH REQUEST',
      'received XAUTH REPLY (user alice)',
      'sent XAUTH SET (OK, user alice)',
      'received XAUTH ACK',
      'ike-up',
      'received Mode-Config REQUEST',
      'sent Mode-Config REPLY',
      'received Quick Mode 1',
      'child-up',
      'sent Quick Mode 2',
      'received Quick Mode 3',
    ]);
    const child = hub.last('child-up')?.child;
    expect(child?.remoteSelectors).toEqual([range('10.99.0.7', '10.99.0.7')]);
    expect(child?.localSelectors).toEqual([HEAD_OFFICE]);
  });

  it('does with the one or the other alone', () => {
    const loginAlone = meet(branch({ xauth: ALICE }), headOffice({ xauthUsers: (name) => directory().get(name) }));
    expect(loginAlone.hub.last('ike-up')?.peer.user).toBe('alice');
    expect(loginAlone.hub.all('child-up')).toHaveLength(1);
    const { xauth: _, ...nobody } = user();
    const { xauthUsers: __, ...open } = server();
    const addressAlone = meet(nobody, open);
    expect(addressAlone.hub.last('ike-up')?.peer.user).toBeUndefined();
    expect(addressesOf(addressAlone.hub)).toEqual(['10.99.0.7']);
  });

  it('knows a user by his Windows domain', () => {
    const { hub } = meet(user({ xauth: { user: 'PLANT\\alice', password: 'wonder land' } }));
    expect(hub.last('ike-up')?.peer.user).toBe('alice');
  });

  it('is not for whoever offers none', () => {
    const { xauth: _, ...nobody } = user();
    const { client, hub } = meet(nobody);
    expect([hub.all('ike-up'), client.all('ike-up')]).toEqual([[], []]);
    expect(hub.last('ike-down')?.failure.reason).toMatch(/pre-shared key.*login \(XAUTH\)/);
  });

  it('gives whoever asks for it the networks that go into the tunnel', () => {
    const { network, caller } = rough();
    caller.logIn('alice', 'wonder land');
    network.run(100);
    caller.answer(ConfigType.ack, [shortAttribute(Xauth.status, 1)]);
    const { internalIp4Address, internalIp4Netmask, unitySplitInclude } = Config;
    caller.say(ConfigType.request, asking(internalIp4Address, internalIp4Netmask, unitySplitInclude, 7));
    network.run(100);
    expect(caller.heard.at(-1)?.payload.attributes).toEqual([
      { type: internalIp4Address, value: Uint8Array.of(10, 99, 0, 7) },
      { type: internalIp4Netmask, value: Uint8Array.of(255, 255, 255, 255) },
      { type: unitySplitInclude, value: Uint8Array.of(10, 2, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0) },
    ]);
  });
});

describe('a login that is not good', () => {
  it.each([
    ['a wrong password', { user: 'alice', password: 'wonderland' }, 'alice'],
    ['a user who is not known', { user: 'mallory\n', password: 'wonder land' }, 'mallory\\x0a'],
    ['the password of another user', { user: 'bob', password: 'wonder land' }, 'bob'],
  ])('is told at both ends (%s)', (_what, xauth, shown) => {
    const { client, hub } = meet(user({ xauth }), server(), { ms: 120_000 });
    expect(reasons(client)).toEqual([`the peer refused the login of user ${shown}`]);
    expect(reasons(hub)).toEqual([`the caller gave no good password for user ${shown}`]);
    expect(hub.last('ike-down')?.failure.cause).toBe('refused');
    for (const host of [client, hub]) {
      expect([host.all('ike-up'), host.all('child-up')]).toEqual([[], []]);
      expect(host.endpoint.idle).toBe(true);
    }
    expect(hub.trace.filter((line) => line === 'sent XAUTH REQUEST')).toHaveLength(1);
  });

  it('looks the same for a wrong password and for a user who is not known', () => {
    const lengths = (name: string) => {
      const { network, hub } = meet(user({ xauth: { user: name, password: 'guess' } }), server(), { ms: 60_000 });
      return network.sent.filter(({ from }) => from === hub).map(({ datagram, at }) => [datagram.length, at]);
    };
    expect(lengths('alice')).toEqual(lengths('clara'));
  });

  it.each([
    ['says that it cannot', [shortAttribute(Xauth.status, 0)]],
    ['names no user', [{ type: Xauth.userPassword, value: Uint8Array.of(1) }]],
    ['gives no password', [{ type: Xauth.userName, value: Uint8Array.of(97) }]],
    ['says nothing', []],
  ])('is the end for a caller that %s', (_what, attributes) => {
    const { network, hub, caller } = rough();
    caller.answer(ConfigType.reply, attributes);
    network.run(100);
    expect(caller.heard.at(-1)?.payload).toMatchObject({
      kind: ConfigType.set,
      attributes: [shortAttribute(Xauth.status, 0)],
    });
    network.run(60_000);
    expect(reasons(hub)).toEqual(['the caller was asked for user and password and gave none']);
    expect(caller.informed).toEqual([[PayloadType.delete]]);
  });

  it('ends without the ACK, too', () => {
    const { network, hub, caller } = rough();
    caller.logIn('alice', 'guess');
    network.run(10_000);
    expect(hub.all('ike-down')).toEqual([]);
    network.run(20_000);
    expect(reasons(hub)).toEqual(['the caller gave no good password for user alice']);
  });

  it('is told where the caller deletes the SA before it says ACK, and where it never answers the question', () => {
    const refused = rough();
    refused.caller.logIn('alice', 'guess');
    refused.network.run(100);
    refused.caller.inform([deletePayload(refused.caller.sa)]);
    refused.network.run(100);
    expect(reasons(refused.hub)).toEqual(['the caller gave no good password for user alice']);
    const gone = rough();
    gone.caller.inform([deletePayload(gone.caller.sa)]);
    gone.network.run(100);
    expect(reasons(gone.hub)).toEqual(['the caller hung up before it had given user and password']);
  });

  it('of the same address is not looked at after ten that were wrong, until time has passed', () => {
    const own = user({ xauth: { user: 'alice', password: 'guess' } });
    const { network, client, hub } = meet(own);
    const again = () => {
      client.endpoint.initiate(network.now, 'client', client.to(SERVER));
      network.run(500);
    };
    for (let attempt = 2; attempt <= 12; attempt += 1) again();
    expect(reasons(hub).at(9)).toMatch(/no good password/);
    expect(reasons(hub).at(11)).toBe(
      `the login of user alice was not looked at, for too many wrong passwords came from ${CLIENT}`,
    );
    client.endpoint.setConnections([user()]);
    again();
    expect(hub.all('ike-up')).toEqual([]);
    network.run(60_000);
    again();
    expect(hub.all('ike-up')).toHaveLength(1);
  });
});

describe('an address', () => {
  it('is of the user: free when he is gone, and his again when he comes back', () => {
    const their = server();
    const { network, client, hub, ikeId } = meet(user(), their);
    client.endpoint.close(network.now, ikeId);
    network.run(1000);
    client.endpoint.setConnections([user({ xauth: { user: 'bob', password: 'builder' } })]);
    const bob = client.endpoint.initiate(network.now, 'client', client.to(SERVER));
    network.run(3000);
    client.endpoint.close(network.now, bob);
    client.endpoint.setConnections([user()]);
    client.endpoint.initiate(network.now, 'client', client.to(SERVER));
    network.run(3000);
    expect(addressesOf(hub)).toEqual(['10.99.0.7', '10.99.0.8', '10.99.0.7']);
  });

  it('that is not there is told at both ends', () => {
    const none = meet(user(), server(undefined, { leases: { lease: () => undefined, release: () => undefined } }));
    expect(reasons(none.client)[0]).toContain('assigned no inner address');
    expect(reasons(none.hub)).toEqual(['no inner address is left in the pool for another caller']);
    const { leases: _, ...poolless } = server();
    const nothing = meet(user(), poolless);
    expect(reasons(nothing.client)[0]).toContain('assigned no inner address');
    expect(reasons(nothing.hub)).toEqual([
      'the caller asks for an inner address, and this connection has no pool of them',
    ]);
  });

  it('has to be asked for', () => {
    const { hub, client } = meet(branch({ xauth: ALICE }));
    expect(hub.endpoint.lastFailure(1)?.reason ?? reasons(hub)[0]).toMatch(/asks for no inner address/);
    expect([hub.all('child-up'), client.all('child-up')]).toEqual([[], []]);
  });

  it('is the only one that its user may send from', () => {
    const { network, hub, caller, own } = rough();
    caller.logIn('alice', 'wonder land');
    network.run(100);
    caller.say(ConfigType.request, asking(Config.internalIp4Address));
    network.run(100);
    caller.startQuickMode(network.now, { ...own, localSelectors: [range('10.99.0.8', '10.99.0.8')] });
    network.run(100);
    expect(caller.connected).toBe(false);
    caller.startQuickMode(network.now, own);
    network.run(100);
    expect([caller.connected, addressesOf(hub)]).toEqual([true, ['10.99.0.7']]);
  });
});

describe('another ISAKMP SA', () => {
  it('asks for the login again and keeps address and child SA', () => {
    const { network, client, hub, ikeId } = meet();
    client.endpoint.rekeyIke(network.now, ikeId);
    network.run(15_000);
    expect(hub.all('ike-up').map(({ peer }) => peer.user)).toEqual(['alice', 'alice']);
    expect(hub.trace.filter((line) => line === 'received XAUTH REPLY')).toHaveLength(2);
    expect(client.all('ike-up').map(({ configuration }) => configuration?.addresses)).toEqual([
      ['10.99.0.7'],
      ['10.99.0.7'],
    ]);
    for (const host of [client, hub]) expect([host.all('ike-down'), host.all('child-down')]).toEqual([[], []]);
    expect(hub.endpoint.views().filter(({ state }) => state !== 'replaced')).toHaveLength(1);
    const [child] = client.all('child-up');
    client.endpoint.rekeyChild(network.now, child?.child.id ?? 0);
    network.run(2000);
    hub.endpoint.rekeyChild(network.now, hub.last('child-up')?.child.id ?? 0);
    network.run(2000);
    expect(addressesOf(hub)).toEqual(['10.99.0.7', '10.99.0.7', '10.99.0.7']);
    // The old SA is gone, and the address is not free for that.
    network.run(30_000);
    const other = network.add('other', '192.0.2.9', [user({ xauth: { user: 'bob', password: 'builder' } })]);
    other.endpoint.initiate(network.now, 'client', other.to(SERVER));
    network.run(3000);
    expect(other.last('ike-up')?.configuration?.addresses).toEqual(['10.99.0.8']);
  });

  it('is begun by the one that logs in alone, and in time', () => {
    const { network, client, hub } = meet(user({ ikeLifetime: 1200 }), server(undefined, { ikeLifetime: 1200 }));
    const [view] = hub.endpoint.views();
    expect(view?.rekeyAt).toBe(view?.expiresAt);
    network.run(4_000_000);
    expect(client.trace.filter((line) => line === 'sent Main Mode 1').length).toBeGreaterThan(3);
    expect(hub.trace).not.toContain('sent Main Mode 1');
    expect([reasons(client), reasons(hub)]).toEqual([[], []]);
    hub.endpoint.rekeyIke(network.now, hub.endpoint.views().at(-1)?.ikeId ?? 0);
    network.run(1000);
    expect(hub.trace).not.toContain('sent Main Mode 1');
  });

  it('for which the password is not good any more leaves the one that stands to its end', () => {
    const users = directory();
    const { network, client, hub, ikeId } = meet(user(), server(users));
    users.set('alice', 'another');
    client.endpoint.rekeyIke(network.now, ikeId);
    network.run(60_000);
    expect(reasons(hub)).toEqual(['the caller gave no good password for user alice']);
    expect([hub.all('child-down'), client.all('child-down'), client.all('ike-down')]).toEqual([[], [], []]);
    expect(client.endpoint.lastFailure(ikeId)?.reason).toBe('the peer refused the login of user alice');
  });

  it('of another user takes over nothing', () => {
    const { network, client, hub } = meet();
    client.endpoint.setConnections([user({ xauth: { user: 'bob', password: 'builder' } })]);
    client.endpoint.initiate(network.now, 'client', client.to(SERVER));
    network.run(3000);
    expect(hub.all('ike-up').map(({ peer, replaces }) => [peer.user, replaces])).toEqual([
      ['alice', undefined],
      ['bob', undefined],
    ]);
    expect(client.last('ike-up')?.configuration?.addresses).toEqual(['10.99.0.8']);
    expect(hub.endpoint.views().map(({ state }) => state)).toEqual(['established', 'established']);
  });
});

describe('a user on a bad network', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('is let in once, and stays through renewals (seed %i)', (seed) => {
    const faults = { loss: 0.2, duplicate: 0.1, jitterMs: 40 };
    const mode = { aggressive: seed % 2 === 0, ikeLifetime: 600, childLifetime: 300, dpdSeconds: 0 };
    const { network, client, hub } = meet(user(mode), server(undefined, mode), { seed, faults, ms: 90_000 });
    expect(client.last('ike-up')?.configuration?.addresses).toEqual(['10.99.0.7']);
    expect(hub.last('ike-up')?.peer.user).toBe('alice');
    network.run(1_500_000);
    expect([reasons(client), reasons(hub)]).toEqual([[], []]);
    expect(client.all('ike-up').length).toBeGreaterThan(2);
    expect(new Set(addressesOf(hub))).toEqual(new Set(['10.99.0.7']));
    expect(client.outbound.at(-1)?.outboundSpi).toBe(hub.outbound.at(-1)?.inboundSpi);
  });
});
