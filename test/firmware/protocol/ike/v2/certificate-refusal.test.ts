import { describe, expect, it } from 'vitest';
import type { CertificateFlaw } from '../../../../../firmware/protocol/ike/certificate-refusal.ts';
import type { IkeConnection, IkeIdentity } from '../../../../../firmware/protocol/ike/ike-types.ts';
import type { IkeSa } from '../../../../../firmware/protocol/ike/v2/ike-sa.ts';
import { refusedByPeer } from '../../../../../firmware/protocol/ike/v2/refusal.ts';
import { credentialOf, FakeTrust, refusal } from '../fake-certificates.ts';
import { Harness, type HarnessOptions, type Side } from './harness.ts';
import { ScriptedPeer } from './scripted-peer.ts';

const LEFT_ID: IkeIdentity = { kind: 'fqdn', value: 'left.example' };
const RIGHT_ID: IkeIdentity = { kind: 'fqdn', value: 'right.example' };
const REASON = 'CULVERT_CERTIFICATE_REFUSED';

function signed(identity: IkeIdentity, trust = new FakeTrust()): Pick<IkeConnection, 'authentication'> {
  return { authentication: { kind: 'certificate', credential: credentialOf(identity, 'p256'), trust } };
}

/** Left calls, and one side finds something wrong. */
function refusedBy(judge: Side, flaw: CertificateFlaw, more: HarnessOptions = {}): Harness {
  const trust = new FakeTrust();
  trust.failure = refusal(flaw);
  return new Harness({
    left: signed(LEFT_ID, judge === 'left' ? trust : undefined),
    right: signed(RIGHT_ID, judge === 'right' ? trust : undefined),
    ...more,
  }).connect();
}

/** What a side has sent of notifications, by its trace. */
function sentBy(harness: Harness, side: Side): string {
  return harness
    .all(side, 'trace')
    .filter(({ direction }) => direction === 'sent')
    .map(({ detail = '' }) => detail)
    .join(' ');
}

const FLAWS = ['expired', 'not-yet-valid', 'identity', 'authority', 'revoked', 'unfit', 'signature'] as const;

describe.each(FLAWS)('a certificate that is refused for %s (IKEv2)', (flaw) => {
  it('of the caller is told apart on both sides, there as a word that nothing proves', () => {
    const harness = refusedBy('right', flaw);
    expect(harness.last('right', 'ike-down').failure).toEqual(refusal(flaw));
    expect(harness.last('left', 'ike-down').failure).toEqual({
      step: 'authentication',
      reason:
        'the peer does not accept our identity left.example with our certificate: it says, before it has proved who ' +
        `it is, that it is wrong by its ${flaw}`,
      remedy: `mend its ${flaw}`,
      cause: 'refused',
    });
  });

  it('of the one that is called is told apart on both sides', () => {
    const harness = refusedBy('left', flaw);
    expect(harness.last('left', 'ike-down').failure).toEqual(refusal(flaw));
    expect(harness.last('right', 'ike-down').failure).toMatchObject({
      reason: `the peer does not accept our identity right.example with our certificate: it says that it is wrong by its ${flaw}`,
      remedy: `mend its ${flaw}`,
    });
  });
});

describe('the reason of a refusal (IKEv2)', () => {
  it.each([
    ['right', { leftOptions: { vendorId: false } }],
    ['right', { rightOptions: { vendorId: false } }],
    ['left', { leftOptions: { vendorId: false } }],
    ['left', { rightOptions: { vendorId: false } }],
  ] as const)('is not said by %s where one of the two does not show that it is a Culvert: %j', (judge, more) => {
    const harness = refusedBy(judge, 'expired', more);
    expect(sentBy(harness, judge)).toContain('N(AUTHENTICATION_FAILED)');
    expect(sentBy(harness, judge)).not.toContain(REASON);
    const judged = judge === 'left' ? 'right' : 'left';
    expect(harness.last(judged, 'ike-down').failure.reason).toBe(
      `the peer does not accept our identity ${judged}.example with our certificate`,
    );
    expect(harness.last(judged, 'ike-down').failure.remedy).toMatch(/the log of the peer says which/);
  });

  it('goes only in encrypted messages, with AUTHENTICATION_FAILED, and ends nothing more than that', () => {
    const harness = refusedBy('right', 'expired');
    expect(sentBy(harness, 'right')).toMatch(/N\(AUTHENTICATION_FAILED\) N\(CULVERT_CERTIFICATE_REFUSED\)$/);
    expect(harness.log).toEqual([
      'left: IKE_SA_INIT request 0',
      'right: IKE_SA_INIT response 0',
      'left: IKE_AUTH request 1',
      'right: IKE_AUTH response 1',
    ]);
  });

  it('is never said of keys', () => {
    const key = (text: string) => ({ authentication: { kind: 'psk', key: Buffer.from(text) } }) as const;
    for (const more of [{ left: key('another') }, { left: { localId: RIGHT_ID } }, { right: { localId: LEFT_ID } }]) {
      const harness = new Harness(more).connect();
      expect(sentBy(harness, 'right') + sentBy(harness, 'left')).toContain('N(AUTHENTICATION_FAILED)');
      expect(sentBy(harness, 'right') + sentBy(harness, 'left')).not.toContain(REASON);
    }
  });

  it('is not said of another kind of proof than the one that is set', () => {
    const harness = new Harness({ left: signed(LEFT_ID) }).connect();
    expect(harness.last('right', 'ike-down').failure.reason).toMatch(/wants to authenticate with a certificate/);
    expect(sentBy(harness, 'right')).not.toContain(REASON);
  });

  it.each([
    [
      'the caller',
      'right',
      { left: { ...signed({ kind: 'fqdn', value: 'x.example' }), localId: { kind: 'fqdn', value: 'x.example' } } },
    ],
    [
      'the called',
      'left',
      { right: { ...signed({ kind: 'fqdn', value: 'x.example' }), localId: { kind: 'fqdn', value: 'x.example' } } },
    ],
  ] as const)('names the identity once %s has proved that it is somebody else', (_who, judge, more) => {
    const harness = new Harness({ left: signed(LEFT_ID), right: signed(RIGHT_ID), ...more }).connect();
    expect(harness.last(judge, 'ike-down').failure.reason).toMatch(/^the peer calls itself x\.example/);
    const judged = judge === 'left' ? 'right' : 'left';
    expect(harness.last(judged, 'ike-down').failure.reason).toMatch(/it is wrong by its identity$/);
  });

  it('does not help a stranger to try identities: who proves nothing learns nothing of them', () => {
    const trust = new FakeTrust();
    trust.failure = refusal('authority');
    const localId: IkeIdentity = { kind: 'fqdn', value: 'x.example' };
    const harness = new Harness({ left: { ...signed(localId), localId }, right: signed(RIGHT_ID, trust) }).connect();
    expect(harness.last('right', 'ike-down').failure.reason).toMatch(/^the peer calls itself x\.example/);
    expect(sentBy(harness, 'right')).not.toContain(REASON);
  });

  it.each(['left', 'right'] as const)(
    'with a code that is not known is as none to the one that %s refuses',
    (judge) => {
      const harness = refusedBy(judge, 'a reason of tomorrow' as CertificateFlaw);
      expect(sentBy(harness, judge)).toContain(REASON);
      const judged = judge === 'left' ? 'right' : 'left';
      expect(harness.last(judged, 'ike-down').failure.reason).toBe(
        `the peer does not accept our identity ${judged}.example with our certificate`,
      );
    },
  );
});

describe('EAP', () => {
  function login(password: string, more: HarnessOptions = {}, trust = new FakeTrust()): Harness {
    const credential = credentialOf(RIGHT_ID, 'p256');
    return new Harness({
      left: { authentication: { kind: 'eap-client', user: 'alice', password, trust } },
      right: { authentication: { kind: 'eap-server', credential, passwordOf: () => 'swordfish' } },
      ...more,
    }).connect();
  }

  it.each([
    ['and why, by a Culvert', {}, ': it says, before it has proved who it is, that it is wrong by its revoked'],
    ['by somebody of another make', { leftOptions: { vendorId: false } }, ''],
  ])(
    'says at the server that its certificate is refused, %s; and nothing of the user was said',
    (_who, more, words) => {
      const trust = new FakeTrust();
      trust.failure = refusal('revoked');
      const harness = login('swordfish', more, trust);
      expect(harness.last('left', 'ike-down').failure).toEqual(refusal('revoked'));
      expect(harness.last('right', 'ike-down').failure.reason).toBe(
        `the peer does not accept our identity right.example with our certificate${words}`,
      );
      expect(sentBy(harness, 'left')).not.toContain('EAP');
      expect(harness.live('right')).toEqual([]);
    },
  );

  it('says no reason for a password that is wrong', () => {
    const harness = login('guess');
    expect(harness.last('right', 'ike-down').failure.reason).toMatch(/gave no good password/);
    expect(sentBy(harness, 'left') + sentBy(harness, 'right')).not.toContain(REASON);
  });
});

describe('AUTHENTICATION_FAILED with something behind it', () => {
  const NOTHING = new Uint8Array(0);
  const N = (type: number, data: Uint8Array) => ({ kind: 'N', protocol: 0, spi: NOTHING, type, data }) as const;
  const UNEXPLAINED = 'the peer does not accept our identity right.example with our certificate';

  function heard(amongOurselves: boolean, data: Uint8Array, connection: object = signed(RIGHT_ID)): string {
    const sa = { amongOurselves, localId: RIGHT_ID, connection } as IkeSa;
    return refusedByPeer(sa, [N(24, NOTHING), N(49361, data)], true).reason;
  }

  it('is understood from a Culvert, and not from others, to whom the number may mean something else', () => {
    expect(heard(true, Uint8Array.of(1, 1))).toBe(`${UNEXPLAINED}: it says that it is wrong by its expired`);
    expect(heard(false, Uint8Array.of(1, 1))).toBe(UNEXPLAINED);
  });

  it.each([
    ['an unknown code', Uint8Array.of(1, 99)],
    ['another version', Uint8Array.of(9, 1)],
    ['no octets', NOTHING],
    ['a thousand octets', new Uint8Array(1000).fill(1)],
  ])('is as if alone with %s', (_what, data) => expect(heard(true, data)).toBe(UNEXPLAINED));

  it('says nothing of certificates to a side that has none', () => {
    expect(heard(true, Uint8Array.of(1, 1), { authentication: { kind: 'psk', key: NOTHING } })).toBe(
      'the peer does not accept our identity right.example with our pre-shared key',
    );
  });

  it('is what ends an SA, and not the reason alone', () => {
    const said = (...payloads: readonly ReturnType<typeof N>[]): readonly string[] => {
      const peer = new ScriptedPeer();
      peer.init([{ kind: 'V', data: Buffer.from('Culvert IKE\0') }]);
      peer.ask('IKE_AUTH', peer.authPayloads());
      peer.ask('INFORMATIONAL', payloads);
      return peer.failures;
    };
    expect(said(N(49361, Uint8Array.of(1, 1)))).toEqual([]);
    expect(said(N(49361, Uint8Array.of(1, 1)), N(24, NOTHING))).toHaveLength(1);
  });
});
