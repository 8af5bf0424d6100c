import { describe, expect, it } from 'vitest';
import type { IkeConnection, IkeIdentity } from '../../../../../firmware/protocol/ike/ike-types.ts';
import { credentialOf, FakeTrust, type KeyKind, refusal } from '../fake-certificates.ts';
import { Harness, problems } from './harness.ts';

const LEFT_ID: IkeIdentity = { kind: 'fqdn', value: 'left.example' };
const RIGHT_ID: IkeIdentity = { kind: 'fqdn', value: 'right.example' };

function signed(identity: IkeIdentity, kind: KeyKind, trust: FakeTrust): Pick<IkeConnection, 'authentication'> {
  return { authentication: { kind: 'certificate', credential: credentialOf(identity, kind), trust } };
}

function pair(
  leftKey: KeyKind,
  rightKey: KeyKind,
  leftTrust = new FakeTrust(),
  rightTrust = new FakeTrust(),
  leftOptions = {},
) {
  const [left, right] = [signed(LEFT_ID, leftKey, leftTrust), signed(RIGHT_ID, rightKey, rightTrust)];
  return new Harness({ left, right, leftOptions });
}

describe('IKE_AUTH with certificates', () => {
  it.each([
    ['rsa', 'p256'],
    ['p384', 'p521'],
    ['ed25519', 'ed448'],
    ['rsa-pss', 'rsa'],
  ] as const)('comes up with %s here and %s there, and lasts over a rekey', (leftKey, rightKey) => {
    const [leftTrust, rightTrust] = [new FakeTrust(), new FakeTrust()];
    const harness = pair(leftKey, rightKey, leftTrust, rightTrust).connect();
    expect(problems(harness)).toEqual([]);
    expect(leftTrust.seen).toEqual([`${rightKey} fqdn right.example + 1`]);
    expect(rightTrust.seen).toEqual([`${leftKey} fqdn left.example + 1`]);
    harness.left.rekeyIke(harness.now, harness.ikeId('left'));
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
  });

  it('is in clear about what it signs with only inside the encryption', () => {
    const harness = pair('rsa', 'p256');
    harness.initiate();
    const init = harness.pass('left');
    const answer = harness.pass('right');
    const auth = harness.take('left');
    for (const { datagram } of [init, answer, auth]) {
      expect(Buffer.from(datagram).includes('left.example')).toBe(false);
    }
  });

  it('ends on both sides when a caller of another make is not believed, and says why here and only that there', () => {
    const trust = new FakeTrust();
    trust.failure = refusal('expired');
    const harness = pair('rsa', 'p256', new FakeTrust(), trust, { vendorId: false }).connect();
    expect(harness.last('right', 'ike-down').failure).toEqual(trust.failure);
    expect(harness.last('left', 'ike-down').failure.reason).toBe(
      'the peer does not accept our identity left.example with our certificate',
    );
    expect(harness.tables.left.children.size + harness.tables.right.children.size).toBe(0);
  });

  it('ends on both sides when the responder is not believed', () => {
    const trust = new FakeTrust();
    trust.failure = refusal('revoked');
    const harness = pair('rsa', 'p256', trust).connect();
    expect(harness.last('left', 'ike-down').failure).toEqual(trust.failure);
    expect(harness.last('right', 'ike-down').failure.step).toBe('authentication');
    expect(harness.tables.left.children.size + harness.tables.right.children.size).toBe(0);
  });

  it.each(['left', 'right'] as const)(
    'does not believe a certificate of %s with the signature of another key',
    (side) => {
      const [leftTrust, rightTrust] = [new FakeTrust(), new FakeTrust()];
      const stolen = (id: IkeIdentity): Pick<IkeConnection, 'authentication'> => ({
        authentication: {
          kind: 'certificate',
          credential: { ...credentialOf(id, 'p256'), privateKey: credentialOf(id, 'p384').privateKey },
          trust: side === 'left' ? leftTrust : rightTrust,
        },
      });
      const harness = new Harness({
        left: side === 'left' ? stolen(LEFT_ID) : signed(LEFT_ID, 'p256', leftTrust),
        right: side === 'right' ? stolen(RIGHT_ID) : signed(RIGHT_ID, 'p256', rightTrust),
      }).connect();
      const judge = side === 'left' ? 'right' : 'left';
      expect(harness.last(judge, 'ike-down').failure.reason).toBe(
        `the signature of the peer ${side}.example does not belong to its certificate`,
      );
      expect(harness.tables.left.children.size + harness.tables.right.children.size).toBe(0);
    },
  );

  it('tells a peer with a pre-shared key that a certificate is set here, and the other way round', () => {
    const here = new Harness({ right: signed(RIGHT_ID, 'p256', new FakeTrust()) }).connect();
    expect(here.last('right', 'ike-down').failure.reason).toBe(
      'the peer wants to authenticate with a pre-shared key, and here a certificate is set',
    );
    const there = new Harness({ left: signed(LEFT_ID, 'p256', new FakeTrust()) }).connect();
    expect(there.last('right', 'ike-down').failure.reason).toBe(
      'the peer wants to authenticate with a certificate, and here a pre-shared key is set',
    );
  });

  it('takes the certificate by the identity, though the names of others are in it', () => {
    const trust = new FakeTrust();
    const harness = new Harness({
      left: { ...signed({ kind: 'fqdn', value: 'mallory.example' }, 'p256', new FakeTrust()) },
      right: signed(RIGHT_ID, 'p256', trust),
    }).connect();
    expect(harness.last('right', 'ike-down').failure.reason).toBe('it names somebody else');
  });
});
