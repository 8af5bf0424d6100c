import { describe, expect, it } from 'vitest';
import { IKEV2_DEFAULTS } from '../../../../firmware/protocol/ike/default-offers.ts';
import {
  espOfferRefused,
  ikeOfferRefused,
  noEspProposal,
  noIkeProposal,
} from '../../../../firmware/protocol/ike/no-proposal.ts';
import { parseEspProposal, parseIkeProposal } from '../../../../firmware/protocol/ike/proposal-text.ts';
import {
  type EspProposal,
  espOffers,
  type IkeOffer,
  type IkeProposal,
  ikeOffers,
} from '../../../../firmware/protocol/ike/proposals.ts';

function ike(text: string): readonly IkeProposal[] {
  const parsed = parseIkeProposal(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.proposals;
}

function esp(text: string): readonly EspProposal[] {
  const parsed = parseEspProposal(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.proposals;
}

describe('NO_PROPOSAL_CHOSEN in words', () => {
  it('says what was offered, what is acceptable and what comes nearest', () => {
    const offered = ikeOffers([...ike('3des-md5-modp1024'), ...ike('aes256-aes128-sha256-modp1024')]);
    const acceptable = [...ike('aes256gcm16-prfsha256-x25519'), ...ike('aes256-sha256-modp2048-modp3072')];
    expect(noIkeProposal('IKE_SA_INIT', offered, acceptable)).toEqual({
      step: 'IKE_SA_INIT',
      reason:
        'no common IKE proposal: the peer offered 3des-md5-modp1024, aes256/aes128-sha256-modp1024; acceptable here is ' +
        'aes256gcm16-prfsha256-x25519, aes256-sha256-modp2048/modp3072; nearest comes aes256-sha256-modp2048, of which ' +
        'the peer did not offer the group',
      remedy: "let the peer offer aes256-sha256-modp2048, or add one of the peer's to the IKE proposals here",
      cause: 'no-proposal',
    });
  });

  it('says so for a child SA, with every kind that differs', () => {
    const failure = noEspProposal('Quick Mode', espOffers(esp('3des-md5')), esp('aes256-sha1'));
    expect(failure.reason).toBe(
      'no common ESP proposal: the peer offered 3des-md5; acceptable here is aes256-sha1; nearest comes aes256-sha1, ' +
        'of which the peer did not offer the cipher and the integrity algorithm',
    );
  });

  it('does not blame the group where groups do not matter', () => {
    const offered = espOffers(esp('aes128-sha1'));
    const acceptable = esp('aes256-sha1-modp2048');
    const nearest = (ignoreGroup: boolean): string =>
      noEspProposal('IKE_AUTH', offered, acceptable, { ignoreGroup }).reason.split('did not offer ')[1] ?? '';
    expect(nearest(true)).toBe('the cipher');
    expect(nearest(false)).toBe('the cipher and the group');
  });

  it('copes with a peer that offered nothing, or nothing known', () => {
    expect(noIkeProposal('Main Mode', [], ike('aes256-sha1-modp1024'))).toEqual({
      step: 'Main Mode',
      reason: 'no common IKE proposal: the peer offered nothing; acceptable here is aes256-sha1-modp1024',
      remedy: 'configure IKE proposals that both ends have',
      cause: 'no-proposal',
    });
    const unknown = { encryption: ['encryption#1'], integrity: ['md5'], prf: ['md5'], group: ['group#1'] };
    expect(noIkeProposal('Main Mode', [unknown], ike('aes256-md5-modp1024')).reason).toContain(
      'the peer offered encryption#1-md5-group#1; ',
    );
  });

  it('stays short whatever a stranger offers', () => {
    const names = Array.from({ length: 500 }, (_, n) => `encryption#${n}`);
    const offer: IkeOffer = { encryption: names, integrity: ['md5'], prf: ['md5'], group: ['group#1'] };
    const offered = Array.from({ length: 200 }, () => offer);
    const { reason } = noIkeProposal('IKE_SA_INIT', offered, IKEV2_DEFAULTS.acceptable.ike);
    expect(reason.length).toBeLessThan(4000);
    expect(reason).toContain(' and 192 more; ');
  });

  it('says as initiator what was offered in vain', () => {
    expect(ikeOfferRefused('IKE_SA_INIT', ike('aes256-aes128-sha1-modp1024'))).toEqual({
      step: 'IKE_SA_INIT',
      reason: 'the peer accepts no IKE proposal of ours (NO_PROPOSAL_CHOSEN); offered was aes256/aes128-sha1-modp1024',
      remedy: 'find out which IKE algorithms the peer is set to and configure one of them here',
      cause: 'no-proposal',
    });
    expect(espOfferRefused('Quick Mode', esp('aes256-sha1-x25519-esn-noesn')).reason).toBe(
      'the peer accepts no ESP proposal of ours (NO_PROPOSAL_CHOSEN); offered was aes256-sha1-x25519-esn/noesn',
    );
  });
});
