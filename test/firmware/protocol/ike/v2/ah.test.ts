import { describe, expect, it } from 'vitest';
import { AH_DEFAULTS } from '../../../../../firmware/protocol/ike/default-offers.ts';
import { childProtocol, type EspProposal } from '../../../../../firmware/protocol/ike/proposals.ts';
import { PROTOCOL } from '../../../../../firmware/protocol/ike/v2/numbers.ts';
import { encodeEspOffers, espOffersOf } from '../../../../../firmware/protocol/ike/v2/sa-payload.ts';
import { FAST_ESP, Harness, PATH, problems, type Side } from './harness.ts';

const AH: EspProposal = { encryption: 'none', integrity: 'sha256', esn: true };
const withAh = (...espProposals: EspProposal[]) => ({ left: { espProposals }, right: { espProposals } });

describe('a child SA of AH by IKEv2', () => {
  it('has a key for integrity alone in each direction, and goes bare from port 500', () => {
    const harness = new Harness(withAh(AH)).connect();
    expect(problems(harness)).toEqual([]);
    const [left, right] = [harness.child('left'), harness.child('right')];
    expect(left).toMatchObject({ extendedSequenceNumbers: true, udpEncapsulation: false, path: PATH });
    expect(left.outbound).toMatchObject({ encryption: 'none', encryptionKey: new Uint8Array(), integrity: 'sha256' });
    expect(left.outbound.integrityKey).toHaveLength(32);
    expect(left.outbound).toEqual(right.inbound);
    expect(left.inbound).toEqual(right.outbound);
    expect(left.inbound.integrityKey).not.toEqual(left.outbound.integrityKey);
  });

  it('is offered under Protocol ID 2 with INTEG and ESN, and read so', () => {
    const spi = Uint8Array.of(1, 2, 3, 4);
    const some = { integrity: ['sha256', 'sha512'], group: ['x25519'], esn: [true, false] };
    const offers = [{ ...some, encryption: ['none'], additional: [] }];
    const proposals = encodeEspOffers(offers, spi);
    expect(proposals).toMatchObject([{ protocol: PROTOCOL.ah, spi }]);
    expect(proposals[0]?.transforms.map(({ type }) => type)).toEqual([3, 3, 4, 5, 5]);
    expect(espOffersOf(proposals).map(({ offer }) => offer)).toEqual(offers);
    // A cipher has no place there.
    const [ah] = proposals;
    const ciphered = { ...ah, transforms: [...(ah?.transforms ?? []), { type: 1, id: 20, keyBits: 128 }] };
    expect(espOffersOf([{ ...ciphered, number: 1, protocol: PROTOCOL.ah, spi }])).toEqual([]);
  });

  it.each(['left', 'right'] as const)(
    'is rekeyed by %s, with a key exchange of its own where there is a group',
    (side) => {
      const harness = new Harness(withAh({ ...AH, group: 'x25519' })).connect();
      const other: Side = side === 'left' ? 'right' : 'left';
      const old = harness.child(side);
      harness[side].rekeyChild(harness.now, old.id);
      harness.deliverAll();
      expect(problems(harness)).toEqual([]);
      expect(harness.traffic()).toEqual([]);
      const child = harness.child(side);
      expect(childProtocol(child.outbound)).toBe('ah');
      expect(child.inboundSpi).not.toBe(old.inboundSpi);
      expect(child.inbound).toEqual(harness.child(other).outbound);
      expect(harness.last(other, 'child-down').failure).toBeUndefined();
      expect(harness.all(side, 'trace').map(({ detail }) => detail)).toContain('N(REKEY_SA) SA Nonce KE TSi TSr');
      harness[side].rekeyIke(harness.now, harness.ikeId(side));
      harness.deliverAll();
      expect(problems(harness)).toEqual([]);
    },
  );

  it('goes bare among ourselves, too, who wrap ESP in UDP', () => {
    const among = { encapsulateAmongOurselves: true };
    const harness = new Harness({ ...withAh(AH), leftOptions: among, rightOptions: among }).connect();
    expect(problems(harness)).toEqual([]);
    expect(harness.child('left').udpEncapsulation).toBe(false);
    const esp = new Harness({ leftOptions: among, rightOptions: among }).connect();
    expect(esp.child('left').udpEncapsulation).toBe(true);
  });

  it('does not move with MOBIKE: there may be a NAT on the next path', () => {
    const harness = new Harness(withAh(AH)).connect();
    const said = harness.all('left', 'trace').map(({ detail }) => detail);
    expect(said.some((detail) => detail?.includes('MOBIKE'))).toBe(false);
    expect(harness.left.addressChanged(harness.now, harness.ikeId('left'), '192.0.2.77')).toBe(false);
  });

  it('is refused in words by who calls when there is a NAT', () => {
    const translate = ({ port }: { readonly port: number }) => ({ address: '198.51.100.7', port: port + 30_000 });
    const harness = new Harness({ ...withAh(AH), translate });
    harness.connect();
    harness.run(60_000);
    const { failure } = harness.last('left', 'ike-down');
    expect(failure.reason).toMatch(/NAT before this end, and AH authenticates the addresses/);
    expect(failure.remedy).toMatch(/"esp"/);
    expect(harness.all('left', 'child-up')).toEqual([]);
    expect(harness.all('right', 'child-up')).toEqual([]);
  });

  it('is not agreed on with a peer that wants ESP, and the words say which is which', () => {
    for (const [left, right, reason] of [
      [AH, FAST_ESP, /no common ESP proposal: the peer offered AH sha256-esn; acceptable here is aes128gcm16/],
      [FAST_ESP, AH, /no common AH proposal: the peer offered aes128gcm16; acceptable here is AH sha256-esn/],
    ] as const) {
      const harness = new Harness({ left: { espProposals: [left] }, right: { espProposals: [right] } }).connect();
      expect(harness.all('left', 'child-up')).toEqual([]);
      harness.run(60_000);
      const failures = [...harness.all('right', 'ike-down')].map(({ failure }) => failure.reason);
      expect(failures.join()).toMatch(reason);
    }
  });

  it('has strong algorithms where none are configured', () => {
    const harness = new Harness(withAh(...AH_DEFAULTS[2])).connect();
    expect(harness.child('left').outbound.integrity).toBe('sha256');
    expect(harness.child('left').extendedSequenceNumbers).toBe(true);
    expect(AH_DEFAULTS[2].map(({ integrity }) => integrity)).not.toContain('sha1');
  });
});
