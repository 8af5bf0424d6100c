import { describe, expect, it } from 'vitest';
import { utf8Bytes } from '../../../../../firmware/protocol/bytes.ts';
import { decodeMessage } from '../../../../../firmware/protocol/ike/v1/header.ts';
import { ConfigType, PayloadType, XauthAttribute as Xauth } from '../../../../../firmware/protocol/ike/v1/numbers.ts';
import { bodiesOf, decodePayloads, onlyBody } from '../../../../../firmware/protocol/ike/v1/payload.ts';
import { phase1Offers } from '../../../../../firmware/protocol/ike/v1/phase1-transforms.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';
import { byCertificate } from './certificates.ts';
import { asking, Gateway, type GatewayOptions } from './gateway.ts';
import { type Faults, Host, Network } from './network.ts';
import { branch, CLIENT, HEAD_OFFICE, headOffice, psk, range, SERVER } from './setup.ts';

const USERS = { alice: 'wonder land' };
const ALICE = { user: 'alice', password: 'wonder land' };
const POOL = range('10.99.0.0', '10.99.0.255');

function roadWarrior(extra = {}) {
  const { localSelectors: _, ...connection } = branch({ xauth: ALICE, requestAddress: true, dpdSeconds: 0 });
  return { ...connection, ...extra };
}

const gatewayConnection = (extra = {}) => headOffice({ remoteSelectors: [POOL], ...extra });

function meet(
  options: GatewayOptions = {},
  own = roadWarrior(),
  their = gatewayConnection(),
  { seed = 1, faults = {} as Faults, ms = 3000 } = {},
) {
  const network = new Network(seed, faults);
  const client = network.add('client', CLIENT, [own]);
  const gateway = new Gateway(
    their,
    { users: USERS, addresses: ['10.99.0.7'], ...options },
    new SeededRandom(seed + 5),
  );
  network.hosts.push(new Host('gateway', SERVER, gateway));
  const ikeId = client.endpoint.initiate(network.now, 'client', client.to(SERVER));
  network.run(ms);
  const attributes = gateway.said.flatMap((payload) => payload.attributes);
  const texts = (...types: number[]) =>
    attributes.filter(({ type }) => types.includes(type)).map(({ value }) => Buffer.from(value).toString());
  return { network, client, gateway, ikeId, attributes, texts };
}

const passwordsOf = ({ texts }: ReturnType<typeof meet>) => texts(Xauth.userPassword, Xauth.passcode);

describe('a login by XAUTH and an address by Mode-Config', () => {
  it.each([
    ['Main Mode, pre-shared key', {}, {}],
    ['Aggressive Mode, pre-shared key', { aggressive: true }, {}],
    ['Aggressive Mode, RSA signatures', { aggressive: true, ...byCertificate('client') }, byCertificate('server')],
  ])('come before ike-up and Quick Mode (%s)', (_mode, own, their) => {
    const met = meet({}, roadWarrior(own), gatewayConnection(their));
    expect(met.client.all('ike-up').map(({ configuration }) => configuration)).toEqual([
      { addresses: ['10.99.0.7'], dns: ['10.2.0.53'] },
    ]);
    expect(met.texts(Xauth.userName)).toEqual(['alice']);
    expect(passwordsOf(met)).toEqual(['wonder land']);
    const lines = met.client.events.flatMap((event) =>
      event.kind === 'trace' ? [`${event.direction} ${event.message}`] : event.kind === 'ike-up' ? ['ike-up'] : [],
    );
    expect(lines.slice(lines.indexOf('received XAUTH REQUEST'))).toEqual([
      'received XAUTH REQUEST',
      'sent XAUTH REPLY',
      'received XAUTH SET',
      'sent XAUTH ACK',
      'sent Mode-Config REQUEST',
      'received Mode-Config REPLY',
      'ike-up',
      'sent Quick Mode 1',
      'received Quick Mode 2',
      'sent Quick Mode 3',
    ]);
    const child = met.client.last('child-up')?.child;
    expect(child?.localSelectors).toEqual([range('10.99.0.7', '10.99.0.7')]);
    expect(child?.remoteSelectors).toEqual([HEAD_OFFICE]);
    expect(met.gateway.agreed.map(({ selectors }) => selectors.remote)).toEqual([range('10.99.0.7', '10.99.0.7')]);
  });

  it('is offered by its own method, with its vendor id', () => {
    for (const [own, method] of [
      [{}, 65001],
      [byCertificate('client'), 65005],
    ] as const) {
      const { network } = meet({}, roadWarrior(own), gatewayConnection(), { ms: 0 });
      const { header, body } = decodeMessage(network.sent[0]?.datagram ?? new Uint8Array());
      const payloads = decodePayloads(header.nextPayload, body);
      const methods = phase1Offers(onlyBody(payloads, PayloadType.sa, 'SA')).map((offer) => offer.method);
      expect(methods).toEqual([method]);
      const ids = bodiesOf(payloads, PayloadType.vendorId).map((id) => Buffer.from(id).toString('hex'));
      expect(ids).toContain('09002689dfd6b712');
    }
  });

  it.each([
    ['name and password one after the other', { questions: [asking(Xauth.userName), asking(Xauth.userPassword)] }],
    ['a passcode', { questions: [asking(Xauth.userName, Xauth.passcode)] }],
    ['an address that comes unasked', { push: true }],
    ['padding behind the address', { padding: 2 }],
    ['more padding', { padding: 3 }],
    ['a domain as well', { questions: [asking(Xauth.domain, Xauth.userName, Xauth.userPassword)] }],
  ])('knows %s', (_what, options) => {
    const met = meet(options);
    expect(met.client.last('ike-up')?.configuration?.addresses).toEqual(['10.99.0.7']);
    expect(met.client.all('child-up')).toHaveLength(1);
    expect(passwordsOf(met)).toEqual(['wonder land']);
  });

  it('does with the one or the other alone', () => {
    const address = meet({ withoutLogin: true }, roadWarrior({ xauth: undefined }));
    expect(address.client.last('ike-up')?.configuration?.addresses).toEqual(['10.99.0.7']);
    const login = meet({}, roadWarrior({ requestAddress: false, localSelectors: [POOL] }));
    expect(login.client.last('ike-up')?.configuration).toBeUndefined();
    expect(login.client.last('child-up')?.child.localSelectors).toEqual([POOL]);
  });

  it('shows what the server says', () => {
    const { client } = meet({ message: 'Welcome\nto the plant' });
    const shown = client.all('trace').find(({ message }) => message === 'XAUTH SET');
    expect(shown?.detail).toBe('"Welcome\\x0ato the plant"');
  });

  it.each([1, 2, 3, 4, 5, 6])('comes up on a bad network (seed %i)', (seed) => {
    const faults = { loss: 0.2, duplicate: 0.1, jitterMs: 40 };
    const met = meet({}, roadWarrior({ aggressive: seed % 2 === 0 }), gatewayConnection(), {
      seed,
      faults,
      ms: 90_000,
    });
    expect(met.client.all('ike-down')).toEqual([]);
    expect(met.client.last('ike-up')?.configuration?.addresses).toEqual(['10.99.0.7']);
    expect(met.client.all('child-up').length).toBeGreaterThan(0);
  });
});

describe('a login that fails', () => {
  const right = { xauth: ALICE };
  it.each([
    [
      'a wrong password',
      { xauth: { user: 'alice', password: 'x' } },
      { message: 'No way' },
      /login of user alice; it says "No way"/,
    ],
    [
      'a server that asks twice',
      right,
      { questions: [asking(16521, 16522), asking(16522)] },
      /refused the login of user alice/,
    ],
    [
      'a login of another type',
      right,
      { questions: [[{ type: 16520, value: Uint8Array.of(0, 1), short: true }]] },
      /RADIUS-CHAP/,
    ],
    ['a new PIN', right, { questions: [asking(Xauth.nextPin)] }, /a new PIN, which cannot be given/],
    ['a server that never asks', right, { silentAt: 'question' }, /never asked for user and password/],
    ['a server that never judges', right, { silentAt: 'verdict' }, /did not say whether it takes them/],
    ['a server without addresses', right, { addresses: [] }, /assigned no inner address/],
    ['a server that knows no Mode-Config', right, { silentAt: 'address' }, /\(Mode-Config\) and did not answer/],
  ] as const)('because of %s is told, once', (_what, own, options, words) => {
    const met = meet(options as GatewayOptions, roadWarrior(own), gatewayConnection(), { ms: 120_000 });
    expect(met.client.all('ike-down').map(({ failure }) => failure.reason)).toEqual([expect.stringMatching(words)]);
    expect([met.client.all('ike-up'), met.client.all('child-up')]).toEqual([[], []]);
    expect(met.client.trace).toContain('sent Informational');
    expect(met.client.trace).not.toContain('sent Quick Mode 1');
    expect(met.client.endpoint.idle).toBe(true);
    expect(passwordsOf(met).length).toBeLessThanOrEqual(1);
    expect(met.client.trace.filter((line) => /Mode 1$/.test(line))).toHaveLength(1);
  });

  it('because none is configured ends what was up already', () => {
    const own = roadWarrior({ xauth: undefined, requestAddress: false, localSelectors: [POOL] });
    const met = meet({ message: 'Who are you?' }, own);
    expect(met.client.all('ike-down').map(({ failure }) => failure.reason)).toEqual([
      'the peer asks for a user and a password, and none is configured',
    ]);
    expect(met.gateway.said.map(({ attributes }) => attributes)).toEqual([
      [{ type: Xauth.status, value: Uint8Array.of(0, 0), short: true }],
    ]);
  });

  it('never tells the password to a server that has not proved itself', () => {
    const strangers = [
      meet({}, roadWarrior(), gatewayConnection(psk('guessed')), { ms: 60_000 }),
      meet({}, roadWarrior({ aggressive: true }), gatewayConnection(psk('guessed')), { ms: 60_000 }),
      meet({}, roadWarrior(byCertificate('client', ['client'])), gatewayConnection(byCertificate('server')), {
        ms: 60_000,
      }),
      meet(
        {},
        roadWarrior({ aggressive: true, remoteId: { kind: 'fqdn', value: 'hq.example' } }),
        gatewayConnection(),
        { ms: 60_000 },
      ),
    ];
    for (const met of strangers) {
      expect(met.gateway.said).toEqual([]);
      expect(met.client.trace.filter((line) => line.includes('XAUTH'))).toEqual([]);
      expect(met.client.all('ike-down')).toHaveLength(1);
    }
  });
});

describe('later', () => {
  it('a rekey logs in anew, wishes for the same address, and keeps the child SA', () => {
    const met = meet();
    met.client.endpoint.rekeyIke(met.network.now, met.ikeId);
    met.network.run(5000);
    expect(met.client.all('ike-up').map(({ configuration }) => configuration?.addresses)).toEqual([
      ['10.99.0.7'],
      ['10.99.0.7'],
    ]);
    expect(met.client.last('ike-up')?.replaces).toBe(met.ikeId);
    expect(met.gateway.wished).toEqual(['', '10.99.0.7']);
    expect([met.client.all('ike-down'), met.client.all('child-down')]).toEqual([[], []]);
    const [child] = met.client.all('child-up');
    met.client.endpoint.rekeyChild(met.network.now, child?.child.id ?? 0);
    met.network.run(2000);
    expect(met.client.last('child-up')?.child.localSelectors).toEqual([range('10.99.0.7', '10.99.0.7')]);
    expect(met.client.last('child-up')?.replaces).toBe(child?.child.id);
  });

  it('a rekey that brings another address is none', () => {
    const met = meet({ addresses: ['10.99.0.7', '10.99.0.8'] });
    met.client.endpoint.rekeyIke(met.network.now, met.ikeId);
    met.network.run(5000);
    expect(met.client.all('ike-up')).toHaveLength(1);
    expect(met.client.all('ike-down')).toEqual([]);
    expect(met.client.endpoint.lastFailure(met.ikeId)?.reason).toMatch(/10\.99\.0\.8 in place of 10\.99\.0\.7/);
  });

  it('a rekey whose login is refused is not tried again, and the SA lives to its end', () => {
    const users: Record<string, string> = { ...USERS };
    const met = meet({ users }, roadWarrior({ ikeLifetime: 1200 }));
    users['alice'] = 'changed';
    met.network.runUntil(() => met.client.all('ike-down').length > 0, 1_300_000);
    expect(passwordsOf({ ...met, texts: met.texts }).length).toBe(1);
    const passwords = met.gateway.said.flatMap(({ attributes }) => attributes.filter(({ type }) => type === 16522));
    expect(passwords).toHaveLength(2);
    expect(met.client.last('ike-down')?.failure.reason).toMatch(/no new one could be negotiated .*login of user alice/);
  });

  it('the server may ask once more, and push', () => {
    const met = meet();
    met.gateway.say(met.network.now, ConfigType.request, asking(Xauth.userName, Xauth.userPassword));
    met.network.run(1000);
    met.gateway.say(met.network.now, ConfigType.request, [{ type: 7, value: utf8Bytes('version?') }]);
    met.network.run(1000);
    const replies = met.gateway.said.filter(({ kind }) => kind === ConfigType.reply);
    expect(replies.map(({ attributes }) => attributes.length)).toEqual([3, 2, 0]);
    expect(met.client.all('ike-down')).toEqual([]);
  });
});
