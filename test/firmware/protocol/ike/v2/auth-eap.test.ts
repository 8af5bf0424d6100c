import { describe, expect, it } from 'vitest';
import type { IkeConnection, IkeIdentity } from '../../../../../firmware/protocol/ike/ike-types.ts';
import { credentialOf, FakeTrust, refusal } from '../fake-certificates.ts';
import { Harness, problems } from './harness.ts';

const RIGHT_ID: IkeIdentity = { kind: 'fqdn', value: 'right.example' };
const PASSWORDS: Readonly<Record<string, string>> = { alice: 'swordfish 42', bob: 'bob-pw' };

function client(user: string, password: string, trust = new FakeTrust()): Pick<IkeConnection, 'authentication'> {
  return { authentication: { kind: 'eap-client', user, password, trust } };
}

const SERVER: Partial<IkeConnection> = {
  authentication: {
    kind: 'eap-server',
    credential: credentialOf(RIGHT_ID, 'p256'),
    passwordOf: (user) => PASSWORDS[user],
  },
};

describe('IKE_AUTH with EAP-MSCHAPv2', () => {
  it('comes up, knows the user, and lasts over a rekey of the IKE SA', () => {
    const harness = new Harness({ left: client('alice', 'swordfish 42'), right: SERVER }).connect();
    expect(problems(harness)).toEqual([]);
    expect(harness.last('right', 'ike-up').peer.user).toBe('alice');
    expect(harness.last('left', 'ike-up').peer.user).toBeUndefined();
    harness.right.rekeyIke(harness.now, harness.ikeId('right'));
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    expect(harness.last('right', 'ike-up').peer.user).toBe('alice');
  });

  it('tells a wrong password and an unknown user apart from nothing but by their names here', () => {
    const failures = [client('alice', 'wrong'), client('eve', 'swordfish 42')].map((left) => {
      const harness = new Harness({ left, right: SERVER }).connect();
      expect(harness.tables.left.children.size + harness.tables.right.children.size).toBe(0);
      expect(harness.right.counters.authenticationFailed).toBe(1);
      return [
        harness.last('left', 'ike-down').failure.reason.replace(/alice|eve/, 'USER'),
        harness.last('right', 'ike-down').failure.reason,
        harness.log.length,
      ];
    });
    expect(failures.map(([, there]) => there)).toEqual([
      'the caller gave no good password for user alice',
      'the caller gave no good password for user eve',
    ]);
    expect(failures[0]?.[0]).toBe(failures[1]?.[0]);
    expect(failures[0]?.[2]).toBe(failures[1]?.[2]);
    expect(failures[0]?.[0]).toContain('wrong user name or password');
  });

  it('says nothing that depends on the password to a server that is not believed', () => {
    const trust = new FakeTrust();
    trust.failure = refusal('authority');
    const harness = new Harness({ left: client('alice', 'swordfish 42', trust), right: SERVER }).connect();
    expect(harness.last('left', 'ike-down').failure).toEqual(trust.failure);
    // IKE_SA_INIT, IKE_AUTH without any EAP, and the word that it is over.
    expect(harness.log.filter((line) => line.startsWith('left'))).toEqual([
      'left: IKE_SA_INIT request 0',
      'left: IKE_AUTH request 1',
      'left: INFORMATIONAL request 2',
    ]);
    expect(
      harness.all('left', 'trace').some(({ direction, detail }) => direction === 'sent' && detail?.includes('EAP')),
    ).toBe(false);
  });

  it('survives a network that loses a third of all datagrams', () => {
    for (let seed = 1; seed <= 40; seed += 1) {
      const harness = new Harness({
        seed,
        left: client('bob', 'bob-pw'),
        right: SERVER,
        faults: { loss: 0.33, duplicate: 0.2 },
      });
      harness.initiate();
      const up = harness.runUntil(() => harness.live('left').length === 1, 60_000);
      const ended = harness.all('left', 'ike-down').length;
      // Five retransmissions of each of six requests: a few seeds run out of them, and say so.
      expect(up || ended > 0, `seed ${seed}`).toBe(true);
      if (up) expect(harness.tables.left.outboundSpi, `seed ${seed}`).toBe(harness.child('right').inboundSpi);
    }
  });

  it('is refused by a side that has a pre-shared key, in words on both sides', () => {
    const harness = new Harness({ left: client('alice', 'swordfish 42') }).connect();
    expect(harness.last('right', 'ike-down').failure.reason).toBe(
      'the peer wants to authenticate with EAP, and here a pre-shared key is set',
    );
    expect(harness.last('left', 'ike-down').failure.reason).toBe(
      'the peer does not let our identity left.example in by EAP',
    );
  });

  it('never says a password', () => {
    const harness = new Harness({ left: client('alice', 'wrong-guess'), right: SERVER }).connect();
    const text = JSON.stringify([harness.events.left, harness.events.right]);
    expect(text).not.toContain('wrong-guess');
    expect(text).not.toContain('swordfish');
  });
});
