import { describe, expect, it } from 'vitest';
import {
  type DefaultProposals,
  IKEV1_DEFAULTS,
  IKEV2_DEFAULTS,
  type Proposals,
} from '../../../../firmware/protocol/ike/default-offers.ts';
import {
  formatEspProposal,
  formatIkeProposal,
  parseEspProposal,
  parseIkeProposal,
} from '../../../../firmware/protocol/ike/proposal-text.ts';
import {
  chooseEspProposal,
  chooseIkeProposal,
  espOffers,
  espProposalFits,
  type IkeProposal,
  ikeOffers,
  ikeProposalFits,
} from '../../../../firmware/protocol/ike/proposals.ts';
import { findTransform } from '../../../../firmware/protocol/ike/transforms.ts';

const ike = (...texts: readonly string[]): readonly IkeProposal[] =>
  texts.flatMap((text) => {
    const parsed = parseIkeProposal(text);
    if (!parsed.ok) throw new Error(parsed.reason);
    return parsed.proposals;
  });

/** One offer for each proposal, as IKEv1 sends them. */
const oneByOne = (proposals: readonly IkeProposal[]) => proposals.flatMap((proposal) => ikeOffers([proposal]));

describe('default offers', () => {
  it.each<readonly [1 | 2, DefaultProposals]>([
    [1, IKEV1_DEFAULTS],
    [2, IKEV2_DEFAULTS],
  ])('of IKEv%i can all be negotiated, name nothing twice, and are acceptable to ourselves', (version, lists) => {
    for (const { ike: ikeList, esp } of Object.values<Proposals>({ ...lists })) {
      const texts = [...ikeList.map(formatIkeProposal), ...esp.map((proposal) => `esp ${formatEspProposal(proposal)}`)];
      expect(new Set(texts).size).toBe(texts.length);
      for (const proposal of ikeList) expect([proposal, ikeProposalFits(version, proposal)]).toEqual([proposal, true]);
      for (const proposal of esp) expect([proposal, espProposalFits(version, proposal)]).toEqual([proposal, true]);
    }
    for (const { ike: ikeList, esp } of [lists.modern, lists.legacy]) {
      for (const proposal of ikeList) {
        expect(chooseIkeProposal(ikeOffers([proposal]), lists.acceptable.ike)?.proposal).toEqual(proposal);
      }
      for (const proposal of esp) {
        expect(chooseEspProposal(espOffers([proposal]), lists.acceptable.esp)?.proposal).toEqual(proposal);
      }
    }
  });

  it('of IKEv1 hold what L2TP/IPsec servers take', () => {
    expect(IKEV1_DEFAULTS.modern.ike.map(formatIkeProposal).sort()).toEqual(
      [
        ...ike('aes256-sha256-sha1-modp2048-modp1536-modp1024', 'aes256-sha1-ecp384'),
        ...ike('aes128-sha1-modp1024-ecp256', '3des-sha1-modp2048-modp1024'),
      ]
        .map(formatIkeProposal)
        .sort(),
    );
    expect(IKEV1_DEFAULTS.modern.esp.map(formatEspProposal)).toEqual(['aes256-sha1', 'aes128-sha1', '3des-sha1']);
    expect(IKEV1_DEFAULTS.legacy.ike.length).toBeLessThanOrEqual(4);
  });

  it('of IKEv2 begin without anything out of date', () => {
    for (const { encryption, integrity, prf, group } of IKEV2_DEFAULTS.modern.ike) {
      expect(findTransform('encryption', encryption)?.legacy).toBe(false);
      if (integrity !== undefined) expect(findTransform('integrity', integrity)?.legacy).toBe(false);
      expect(findTransform('prf', prf)?.legacy).toBe(false);
      expect(findTransform('group', group)?.legacy).toBe(false);
    }
    expect(IKEV2_DEFAULTS.modern.ike[0]?.group).toBe('x25519');
  });

  it('of IKEv2 fit into few proposals on the wire', () => {
    for (const { ike: ikeList, esp } of [IKEV2_DEFAULTS.modern, IKEV2_DEFAULTS.legacy]) {
      expect(ikeOffers(ikeList).length).toBeLessThanOrEqual(6);
      expect(espOffers(esp).length).toBeLessThanOrEqual(2);
    }
  });

  it.each([
    [
      'Windows',
      ike(
        'aes256-sha1-ecp384',
        'aes128-sha1-ecp256',
        'aes256-sha1-modp2048',
        '3des-sha1-modp2048',
        '3des-sha1-modp1024',
      ),
      'aes256-sha1-ecp384',
    ],
    ['macOS', ike('aes256-sha256-sha1-md5-sha512-modp2048', '3des-sha1-md5-modp1024'), 'aes256-sha256-modp2048'],
    ['Android', ike('aes256-sha1-md5-modp1024', '3des-sha1-md5-modp1024'), 'aes256-sha1-modp1024'],
    ['RouterOS', ike('aes128-3des-sha1-modp2048-modp1024'), 'aes128-sha1-modp2048'],
    ['IOS', ike('3des-sha1-modp1024'), '3des-sha1-modp1024'],
  ])('of IKEv1 as responder find common ground with %s', (_, offered, expected) => {
    const choice = chooseIkeProposal(oneByOne(offered), IKEV1_DEFAULTS.acceptable.ike, { version: 1 });
    expect(choice && formatIkeProposal(choice.proposal)).toBe(expected);
  });

  it('of IKEv1 as responder choose AES in a large group over 3DES on a curve', () => {
    const offered = oneByOne(ike('3des-sha256-ecp256', 'aes128-sha1-modp2048'));
    const choice = chooseIkeProposal(offered, IKEV1_DEFAULTS.acceptable.ike);
    expect(choice && formatIkeProposal(choice.proposal)).toBe('aes128-sha1-modp2048');
  });

  it('of IKEv1 as responder never choose MD5, nor 1024 bits where more is offered', () => {
    const offered = oneByOne(ike('3des-md5-modp1024', 'aes256-sha1-modp1024', '3des-sha1-modp2048'));
    expect(chooseIkeProposal(offered, IKEV1_DEFAULTS.acceptable.ike)?.proposal.group).toBe('modp2048');
    const md5 = oneByOne(ike('3des-md5-modp1024'));
    expect(chooseIkeProposal(md5, IKEV1_DEFAULTS.acceptable.ike)).toBeUndefined();
  });

  it('of IKEv1 as responder take the perfect forward secrecy that RouterOS insists on', () => {
    const parsed = parseEspProposal('aes256-aes192-aes128-sha1-modp1024');
    const offered = parsed.ok ? espOffers(parsed.proposals) : [];
    const choice = chooseEspProposal(offered, IKEV1_DEFAULTS.acceptable.esp, { version: 1 });
    expect(choice && formatEspProposal(choice.proposal)).toBe('aes256-sha1-modp1024');
  });
});
