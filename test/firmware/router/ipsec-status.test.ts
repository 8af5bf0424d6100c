import { describe, expect, it } from 'vitest';
import { ipsecStatus } from '../../../firmware/router/ipsec-status.ts';
import type { ChildSaInfo, IkeSaInfo, IpsecConnectionInfo } from '../../../firmware/vpn/ipsec/ipsec-types.ts';

const CHILD: ChildSaInfo = {
  protocol: 'esp',
  channel: 3,
  sa: 7,
  mode: 'transport',
  algorithms: 'AES-CBC with 256-bit key, HMAC-SHA1-96',
  inboundSpi: 0xc0ffee,
  outboundSpi: 0xfedcba98,
  sending: true,
  udpEncapsulation: true,
  secondsLeft: 3300,
  localSelectors: ['10.20.0.9 UDP port 1701'],
  remoteSelectors: ['10.20.0.2 UDP port 1701'],
};

const IKE: IkeSaInfo = {
  version: 1,
  initiator: true,
  state: 'up',
  path: { remote: { address: '10.20.0.2', port: 4500 }, local: { address: '10.20.0.9', port: 4500 } },
  algorithms: 'AES-CBC with 256-bit key',
  peerIdentity: '10.20.0.2',
  peerImplementation: 'strongSwan',
  natLocal: true,
  natRemote: false,
  secondsLeft: 14_000,
  children: [CHILD],
};

const HQ: IpsecConnectionInfo = {
  name: 'hq',
  version: 1,
  mode: 'transport',
  remote: '10.20.0.2',
  state: 'up',
  stateSince: 1_700_000_000_000,
  ikeSas: [IKE],
};

const FAILURE = { step: 'Main Mode 5', reason: 'the keys differ', remedy: 'compare them' };

describe('the status of an IPsec connection', () => {
  it('has an entry per IKE SA with its child SAs and their counters', () => {
    const counters = {
      packetsReceived: 5,
      octetsReceived: 500,
      packetsSent: 6,
      octetsSent: 600,
      drops: { replayed: 1 },
    };
    expect(ipsecStatus(HQ, new Map([[7, { key: 7, ...counters }]]))).toEqual([
      {
        name: 'hq',
        state: 'up',
        version: 1,
        mode: 'transport',
        role: 'initiator',
        peer: '10.20.0.2:4500',
        algorithms: 'AES-CBC with 256-bit key',
        nat: 'here',
        encapsulation: 'udp',
        peerIdentity: '10.20.0.2',
        peerImplementation: 'strongSwan',
        secondsLeft: 14_000,
        since: 1_700_000_000_000,
        children: [
          {
            name: 'hq',
            state: 'up',
            algorithms: 'AES-CBC with 256-bit key, HMAC-SHA1-96',
            inboundSpi: '00c0ffee',
            outboundSpi: 'fedcba98',
            secondsLeft: 3300,
            protocol: 'esp',
            encapsulation: 'udp',
            localSelectors: ['10.20.0.9 UDP port 1701'],
            remoteSelectors: ['10.20.0.2 UDP port 1701'],
            ...counters,
          },
        ],
      },
    ]);
  });

  it('has one entry without an IKE SA, which says why there is none', () => {
    const [entry, ...more] = ipsecStatus({ ...HQ, state: 'failed', failure: FAILURE, ikeSas: [] }, new Map());
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      name: 'hq',
      state: 'failed',
      reason: 'Main Mode 5: the keys differ',
      remedy: 'compare them',
      peer: '10.20.0.2',
      algorithms: '',
      encapsulation: '',
      children: [],
    });
    expect(entry).not.toHaveProperty('secondsLeft');
  });

  it('says of a server that nobody calls that it waits, and of one with callers who they are', () => {
    const all: IpsecConnectionInfo = { ...HQ, name: 'all', remote: 'any', ikeSas: [] };
    expect(ipsecStatus(all, new Map())).toMatchObject([{ state: 'up', role: 'responder', peer: 'any' }]);
    const caller = (port: number): IkeSaInfo => ({
      ...IKE,
      initiator: false,
      path: { ...IKE.path, remote: { address: '192.0.2.7', port } },
    });
    const called = ipsecStatus({ ...all, ikeSas: [caller(4500), caller(61000)] }, new Map());
    expect(called.map(({ name, role, peer }) => `${name} ${role} ${peer}`)).toEqual([
      'all responder 192.0.2.7:4500',
      'all responder 192.0.2.7:61000',
    ]);
  });

  it('still says why the last attempt failed while the next one runs, and no more once it has succeeded', () => {
    const trying: IkeSaInfo = { ...IKE, state: 'connecting', algorithms: '', children: [] };
    const connection: IpsecConnectionInfo = { ...HQ, state: 'connecting', failure: FAILURE, ikeSas: [trying] };
    expect(ipsecStatus(connection, new Map())).toMatchObject([
      { state: 'connecting', reason: expect.stringMatching(/keys differ/) },
    ]);
    expect(ipsecStatus({ ...HQ, failure: FAILURE }, new Map())[0]).not.toHaveProperty('reason');
    expect(ipsecStatus({ ...HQ, state: 'down', failure: FAILURE, ikeSas: [] }, new Map())[0]).not.toHaveProperty(
      'reason',
    );
  });

  it('of a server says that it waits, and why the last caller was turned away, while others have only begun', () => {
    const begun: IkeSaInfo = { ...IKE, initiator: false, state: 'connecting', algorithms: '', children: [] };
    const all: IpsecConnectionInfo = { ...HQ, name: 'all', remote: 'any', failure: FAILURE, ikeSas: [begun] };
    const [waits, caller, ...more] = ipsecStatus(all, new Map());
    expect(waits).toMatchObject({ state: 'up', peer: 'any', reason: 'Main Mode 5: the keys differ' });
    expect(caller).toMatchObject({ state: 'connecting', peer: '10.20.0.2:4500' });
    expect(caller).not.toHaveProperty('reason');
    expect(more).toEqual([]);
  });

  it('leaves out an IKE SA that has handed all it had to another one', () => {
    const replaced: IkeSaInfo = { ...IKE, state: 'replaced', children: [] };
    expect(ipsecStatus({ ...HQ, ikeSas: [replaced, IKE] }, new Map())).toHaveLength(1);
  });

  it('tells the pair that is sent by from one that only receives', () => {
    const children = [{ ...CHILD, sa: 8, sending: false, udpEncapsulation: false }, CHILD];
    const [entry] = ipsecStatus({ ...HQ, ikeSas: [{ ...IKE, children }] }, new Map());
    expect(entry?.children.map(({ state }) => state)).toEqual(['down', 'up']);
    expect(entry?.encapsulation).toBe('udp');
  });

  it.each([
    [false, false, 'none'],
    [true, false, 'here'],
    [false, true, 'there'],
    [true, true, 'both'],
  ])('says where the NAT is: %s, %s', (natLocal, natRemote, nat) => {
    expect(ipsecStatus({ ...HQ, ikeSas: [{ ...IKE, natLocal, natRemote }] }, new Map())[0]?.nat).toBe(nat);
  });
});
