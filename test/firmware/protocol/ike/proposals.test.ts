import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chooseEspProposal,
  chooseIkeProposal,
  type EspOffer,
  type EspProposal,
  espMismatches,
  espOffers,
  espProposalFits,
  type IkeOffer,
  type IkeProposal,
  ikeOffers,
  ikeProposalFits,
  NONE,
  unknownTransform,
} from '../../../../firmware/protocol/ike/proposals.ts';
import { arbitraryEspProposal, arbitraryIkeProposal } from './arbitrary-proposals.ts';

const ike = (encryption: string, hash: string, group: string): IkeProposal => ({
  encryption,
  integrity: hash,
  prf: hash,
  group,
});
const STRONG = ike('aes256', 'sha256', 'modp2048');
const WEAK = ike('3des', 'sha1', 'modp1024');

const esp = (encryption: string, integrity?: string, group?: string): EspProposal => ({
  encryption,
  ...(integrity === undefined ? {} : { integrity }),
  ...(group === undefined ? {} : { group }),
  esn: false,
});

/** Every single proposal that an offer allows. */
function expandIke(offer: IkeOffer): readonly string[] {
  const integrity = offer.integrity.length === 0 ? [undefined] : offer.integrity;
  return offer.encryption.flatMap((encryption) =>
    integrity.flatMap((hash) =>
      offer.prf.flatMap((prf) => offer.group.map((group) => [encryption, hash, prf, group].join())),
    ),
  );
}

function expandEsp(offer: EspOffer): readonly string[] {
  const integrity = offer.integrity.length === 0 ? [undefined] : offer.integrity;
  const groups = offer.group.length === 0 ? [undefined] : offer.group.map((name) => (name === NONE ? undefined : name));
  const [additional] = offer.additional ?? [];
  return offer.encryption.flatMap((encryption) =>
    integrity.flatMap((hash) =>
      groups.flatMap((group) => offer.esn.map((esn) => [encryption, hash, group, additional, esn].join())),
    ),
  );
}

describe('choosing an IKE proposal', () => {
  it('takes the first of our list that any offer allows', () => {
    const choice = chooseIkeProposal(ikeOffers([WEAK]).concat(ikeOffers([STRONG])), [STRONG, WEAK]);
    expect(choice).toEqual({ proposal: STRONG, index: 1 });
  });

  it('takes one name of each kind out of an offer of many', () => {
    const offer: IkeOffer = {
      encryption: ['3des', 'aes256'],
      integrity: ['sha1', 'sha256'],
      prf: ['sha1', 'sha256'],
      group: ['modp1024', 'modp2048'],
    };
    expect(chooseIkeProposal([offer], [STRONG])).toEqual({ proposal: STRONG, index: 0 });
  });

  it('does not mix what stands in different offers', () => {
    const offers = ikeOffers([ike('aes256', 'sha1', 'modp1024'), ike('3des', 'sha256', 'modp2048')]);
    expect(chooseIkeProposal(offers, [STRONG])).toBeUndefined();
  });

  it('takes a combined mode with and without NONE as integrity algorithm, and with needless ones beside it', () => {
    const gcm = { encryption: 'aes256gcm16', prf: 'sha256', group: 'x25519' };
    for (const integrity of [[], [NONE], ['sha1', 'sha256']]) {
      const offer = { encryption: ['aes256gcm16'], integrity, prf: ['sha256'], group: ['x25519'] };
      expect(chooseIkeProposal([offer], [gcm])?.proposal).toEqual(gcm);
    }
  });

  it('keeps to the group of the KE payload at hand when told to', () => {
    const offers = ikeOffers([STRONG, WEAK]);
    expect(chooseIkeProposal(offers, [STRONG, WEAK], { onlyGroup: 'modp1024' })?.proposal).toBe(WEAK);
    expect(chooseIkeProposal(offers, [STRONG, WEAK], { onlyGroup: 'ecp256' })).toBeUndefined();
  });

  it('takes nothing that is unknown, empty or not offered', () => {
    const unknown = unknownTransform('encryption', 12, 512);
    expect(unknown).toBe('encryption#12:512');
    const offer = { encryption: [unknown], integrity: ['sha256'], prf: ['sha256'], group: ['modp2048'] };
    expect(chooseIkeProposal([offer], [STRONG])).toBeUndefined();
    expect(chooseIkeProposal([], [STRONG])).toBeUndefined();
    expect(chooseIkeProposal(ikeOffers([STRONG]), [])).toBeUndefined();
  });

  it('finds something exactly when the lists have a member in common', () => {
    const lists = fc.array(arbitraryIkeProposal, { maxLength: 12 });
    fc.assert(
      fc.property(lists, lists, fc.nat(), (ours, theirs, n) => {
        const shared = ours[n % Math.max(ours.length, 1)];
        const offered = shared !== undefined && n % 2 === 0 ? [...theirs, shared] : theirs;
        const key = (proposal: IkeProposal): string => JSON.stringify(proposal, Object.keys(proposal).sort());
        const common = ours.filter((proposal) => offered.some((other) => key(other) === key(proposal)));
        expect(chooseIkeProposal(ikeOffers(offered), ours)?.proposal).toEqual(common[0]);
      }),
    );
  });
});

describe('choosing an ESP proposal', () => {
  const offer = (group: readonly string[], esn: readonly boolean[] = []): EspOffer => ({
    encryption: ['aes256', 'aes128'],
    integrity: ['sha1'],
    group,
    esn,
  });

  it('takes the peer without perfect forward secrecy where ours has none', () => {
    for (const group of [[], [NONE], ['modp2048', NONE]]) {
      expect(chooseEspProposal([offer(group)], [esp('aes128', 'sha1')])?.proposal).toEqual(esp('aes128', 'sha1'));
    }
  });

  it('takes the group that the peer insists on, as RouterOS does, where ours has none', () => {
    const choice = chooseEspProposal([offer(['modp1024'])], [esp('aes256', 'sha1')]);
    expect(choice).toEqual({ proposal: esp('aes256', 'sha1', 'modp1024'), index: 0 });
    const two = offer(['group#77', 'modp3072', 'modp2048']);
    expect(chooseEspProposal([two], [esp('aes256', 'sha1')])?.proposal.group).toBe('modp3072');
    const options = { onlyGroup: 'modp2048' };
    expect(chooseEspProposal([two], [esp('aes256', 'sha1')], options)?.proposal.group).toBe('modp2048');
    expect(chooseEspProposal([offer(['group#77'])], [esp('aes256', 'sha1')])).toBeUndefined();
  });

  it('insists on a group of its own', () => {
    const ours = [esp('aes256', 'sha1', 'modp2048')];
    expect(chooseEspProposal([offer([])], ours)).toBeUndefined();
    expect(chooseEspProposal([offer(['modp1024'])], ours)).toBeUndefined();
    expect(chooseEspProposal([offer(['modp1024', 'modp2048'])], ours)?.proposal).toEqual(ours[0]);
  });

  it('has no group in the exchange that makes the first child SA', () => {
    const ours = [esp('aes256', 'sha1', 'modp2048')];
    const options = { ignoreGroup: true };
    expect(chooseEspProposal([offer([])], ours, options)?.proposal).toEqual(esp('aes256', 'sha1'));
    expect(chooseEspProposal([offer(['modp1024'])], ours, options)?.proposal).toEqual(esp('aes256', 'sha1'));
  });

  it('takes no ESN from a peer that does not speak of it', () => {
    const wants = { ...esp('aes256', 'sha1'), esn: true };
    expect(chooseEspProposal([offer([])], [wants])).toBeUndefined();
    expect(chooseEspProposal([offer([], [false])], [wants])).toBeUndefined();
    expect(chooseEspProposal([offer([], [false, true])], [wants])?.proposal).toEqual(wants);
    expect(chooseEspProposal([offer([], [true])], [esp('aes256', 'sha1')])).toBeUndefined();
  });

  it('takes sha256 for the truncated sha256-96 in IKEv1 alone, where both have one number', () => {
    const android = { encryption: ['aes256'], integrity: ['sha256'], group: [], esn: [] };
    const ours = [esp('aes256', 'sha256-96')];
    expect(chooseEspProposal([android], ours, { version: 1 })?.proposal).toEqual(ours[0]);
    expect(chooseEspProposal([android], ours)).toBeUndefined();
  });

  it('chooses only what the offer allows', () => {
    const lists = fc.array(arbitraryEspProposal, { maxLength: 8 });
    fc.assert(
      fc.property(lists, lists, (ours, theirs) => {
        const offers = espOffers(theirs);
        const choice = chooseEspProposal(offers, ours);
        if (choice === undefined) return;
        const chosenFrom = offers[choice.index];
        expect(chosenFrom && espMismatches(chosenFrom, choice.proposal)).toEqual([]);
        const { encryption, integrity } = choice.proposal;
        expect(ours.some((own) => own.encryption === encryption && own.integrity === integrity)).toBe(true);
      }),
    );
  });
});

describe('offers', () => {
  it('say exactly the proposals they were made of, each once', () => {
    fc.assert(
      fc.property(fc.array(arbitraryIkeProposal, { maxLength: 30 }), (proposals) => {
        const said = ikeOffers(proposals).flatMap(expandIke);
        const meant = proposals.map(({ encryption, integrity, prf, group }) =>
          [encryption, integrity, prf, group].join(),
        );
        expect([...said].sort()).toEqual([...new Set(meant)].sort());
      }),
    );
    fc.assert(
      fc.property(fc.array(arbitraryEspProposal, { maxLength: 30 }), (proposals) => {
        const said = espOffers(proposals).flatMap(expandEsp);
        const meant = proposals.map(({ encryption, integrity, group, additional, esn }) =>
          [encryption, integrity, group, additional, esn].join(),
        );
        expect([...said].sort()).toEqual([...new Set(meant)].sort());
      }),
    );
  });

  it('put what differs in one kind into one', () => {
    const groups = ['modp2048', 'modp1024'];
    const proposals = groups.flatMap((group) => ['aes256', 'aes128'].map((cipher) => ike(cipher, 'sha1', group)));
    expect(ikeOffers(proposals)).toEqual([
      { encryption: ['aes256', 'aes128'], integrity: ['sha1'], prf: ['sha1'], group: ['modp2048', 'modp1024'] },
    ]);
  });

  it('hold NONE where perfect forward secrecy is left to the peer, and no group where there is none', () => {
    expect(espOffers([esp('aes256', 'sha1', 'modp2048'), esp('aes256', 'sha1')])).toEqual([
      { encryption: ['aes256'], integrity: ['sha1'], group: ['modp2048', NONE], esn: [false] },
    ]);
    expect(espOffers([esp('aes256', 'sha1')])[0]?.group).toEqual([]);
  });
});

describe('what a version of IKE can negotiate', () => {
  it('in IKEv1 has one hash for all and no combined mode in phase 1', () => {
    expect(ikeProposalFits(1, STRONG)).toBe(true);
    expect(ikeProposalFits(1, { ...STRONG, prf: 'sha512' })).toBe(false);
    expect(ikeProposalFits(1, { encryption: 'aes256gcm16', prf: 'sha256', group: 'modp2048' })).toBe(false);
    expect(ikeProposalFits(1, ike('aes256ctr', 'sha1', 'modp2048'))).toBe(false);
    expect(espProposalFits(1, esp('aes256gcm16'))).toBe(true);
    expect(espProposalFits(1, esp('chacha20poly1305'))).toBe(false);
    expect(espProposalFits(1, { ...esp('aes256', 'sha1'), esn: true })).toBe(false);
    expect(espProposalFits(1, esp('aes256', 'sha256-96'))).toBe(true);
  });

  it('in IKEv2 has an integrity algorithm beside every cipher but combined modes', () => {
    expect(ikeProposalFits(2, STRONG)).toBe(true);
    expect(ikeProposalFits(2, { ...STRONG, prf: 'sha512' })).toBe(true);
    expect(ikeProposalFits(2, { encryption: 'aes256', prf: 'sha256', group: 'modp2048' })).toBe(false);
    expect(ikeProposalFits(2, { ...STRONG, encryption: 'aes256gcm16' })).toBe(false);
    expect(ikeProposalFits(2, { ...STRONG, integrity: 'sha256-96' })).toBe(false);
    expect(espProposalFits(2, esp('chacha20poly1305', undefined, 'x25519'))).toBe(true);
    expect(espProposalFits(2, esp('chacha20poly1305', undefined, 'modp768'))).toBe(false);
    expect(espProposalFits(2, esp('aes128'))).toBe(false);
    expect(espProposalFits(2, esp('aes128', 'sha256-96'))).toBe(false);
  });
});
