import { describe, expect, it } from 'vitest';
import { phase2Keymat } from '../../../../../firmware/protocol/ike/crypto/keys-v1.ts';
import type { EspProposal } from '../../../../../firmware/protocol/ike/proposals.ts';
import { ProtocolId } from '../../../../../firmware/protocol/ike/v1/numbers.ts';
import type { Phase1Outcome } from '../../../../../firmware/protocol/ike/v1/phase1.ts';
import { phase2Offers, phase2Proposal } from '../../../../../firmware/protocol/ike/v1/phase2-transforms.ts';
import { childKeys } from '../../../../../firmware/protocol/ike/v1/quick-mode.ts';
import { encodeSa, makeTransform } from '../../../../../firmware/protocol/ike/v1/sa-payload.ts';
import { branch, connect, headOffice } from './setup.ts';

const ah = (integrity: string, group?: string): EspProposal => ({
  encryption: 'none',
  integrity,
  esn: false,
  ...(group === undefined ? {} : { group }),
});
const TUNNEL = 1;

function pair(proposal: EspProposal, options = {}) {
  const espProposals = [proposal];
  return connect({ client: branch({ espProposals }), server: headOffice({ espProposals }), ...options });
}

describe('a child SA of AH by IKEv1', () => {
  it.each(['md5', 'sha1', 'sha256', 'sha384', 'sha512'])('has a key of %s alone in each direction', (integrity) => {
    const { client, server } = pair(ah(integrity));
    const [ours, theirs] = [client.last('child-up')?.child, server.last('child-up')?.child];
    expect(ours).toMatchObject({ udpEncapsulation: false, mode: 'tunnel' });
    expect(ours?.outbound).toMatchObject({ encryption: 'none', integrity, encryptionKey: new Uint8Array() });
    expect(ours?.outbound).toEqual(theirs?.inbound);
    expect(ours?.inbound).toEqual(theirs?.outbound);
  });

  it('has keys that are made with its own Protocol-ID (RFC 2409 section 5.5)', () => {
    const [hash, skeyidD] = ['sha256', new Uint8Array(32).fill(7)];
    const sa = { proposal: { prf: hash }, keys: { skeyidD } } as unknown as Phase1Outcome;
    const seed = { nonceI: new Uint8Array(16).fill(1), nonceR: new Uint8Array(16).fill(2) };
    const { inbound } = childKeys(sa, ah('sha256'), seed, { inboundSpi: 0x1001, outboundSpi: 0x2001 });
    const made = { ...seed, protocol: 2, spi: 0x1001 };
    expect(inbound).toEqual(phase2Keymat(ah('sha256'), { hash, skeyidD }, made));
  });

  it('is offered with the transform of its algorithm and the attribute (RFC 2407 section 4.4.3)', () => {
    const names = ['md5', 'sha1', 'sha256', 'sha384', 'sha512'];
    const proposal = phase2Proposal(
      names.map((name) => ah(name)),
      TUNNEL,
      3600,
      0x1001,
    );
    expect(proposal.protocol).toBe(ProtocolId.ah);
    expect(proposal.transforms.map(({ id }) => id)).toEqual([2, 3, 5, 6, 7]);
    const read = phase2Offers(encodeSa([proposal]));
    expect(read.map(({ offer }) => [offer.encryption, offer.integrity])).toEqual(
      names.map((name) => [['none'], [name]]),
    );
  });

  it('is not chosen where transform and attribute contradict each other, or the attribute is missing', () => {
    const [sha1] = phase2Proposal([ah('sha1')], TUNNEL, 3600, 0x1001).transforms;
    const spi = Uint8Array.of(0, 0, 0x10, 1);
    for (const transform of [makeTransform(1, 5, sha1?.attributes ?? []), makeTransform(1, 3, [])]) {
      const [read] = phase2Offers(encodeSa([{ number: 1, protocol: ProtocolId.ah, spi, transforms: [transform] }]));
      expect(read?.offer.encryption).not.toEqual(['none']);
    }
  });

  it('is rekeyed with perfect forward secrecy, and the old one deleted at both ends', () => {
    const { network, client, server } = pair(ah('sha256', 'ecp256'));
    const [old] = [client.last('child-up')?.child];
    client.endpoint.rekeyChild(network.now, old?.id ?? 0);
    network.run(120_000);
    for (const host of [client, server]) {
      expect(host.all('ike-down')).toEqual([]);
      expect(host.all('child-up')).toHaveLength(2);
      expect(host.all('child-down')).toHaveLength(1);
      expect(host.last('child-up')?.child.outbound.encryption).toBe('none');
    }
  });

  it('goes bare among ourselves, too', () => {
    const among = { encapsulateAmongOurselves: true };
    const { client } = pair(ah('sha256'), { clientOptions: among, serverOptions: among });
    expect(client.last('ike-up')?.peer.encapsulation).toBe('agreement');
    expect(client.last('child-up')?.child.udpEncapsulation).toBe(false);
  });

  it('is refused in words when there is a NAT, whoever looks', () => {
    const { client, server } = pair(ah('sha256'), { clientBehindNat: true });
    expect(client.all('child-up')).toEqual([]);
    expect(server.all('child-up')).toEqual([]);
    expect(client.last('ike-down')?.failure.reason).toMatch(/NAT before this end, and AH authenticates the addresses/);
  });

  it('is refused by who is asked, if the caller asks all the same', () => {
    const { client, server } = connect({
      client: branch({ espProposals: [{ encryption: 'aes128', integrity: 'sha1', esn: false }] }),
      server: headOffice({ espProposals: [ah('sha256')] }),
      clientBehindNat: true,
    });
    expect(client.all('child-up')).toEqual([]);
    const details = server.all('trace').map(({ detail }) => detail);
    expect(details.join()).toMatch(/NAT before the peer, and AH/);
  });
});
