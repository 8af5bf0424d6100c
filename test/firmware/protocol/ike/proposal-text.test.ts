import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatEspProposal,
  formatIkeProposal,
  parseEspProposal,
  parseIkeProposal,
} from '../../../../firmware/protocol/ike/proposal-text.ts';
import { arbitraryEspProposal, arbitraryIkeProposal } from './arbitrary-proposals.ts';

const reasonOf = (parsed: { readonly ok: boolean; readonly reason?: string }): string | undefined => parsed.reason;

describe('proposals as text', () => {
  it('are read as other implementations write them', () => {
    expect(parseIkeProposal('aes256-sha256-modp2048')).toEqual({
      ok: true,
      proposals: [{ encryption: 'aes256', integrity: 'sha256', prf: 'sha256', group: 'modp2048' }],
    });
    expect(parseIkeProposal('aes128gcm16-prfsha256-ecp256')).toEqual({
      ok: true,
      proposals: [{ encryption: 'aes128gcm16', prf: 'sha256', group: 'ecp256' }],
    });
    expect(parseIkeProposal(' AES256GCM128-SHA384-curve25519 ')).toEqual({
      ok: true,
      proposals: [{ encryption: 'aes256gcm16', prf: 'sha384', group: 'x25519' }],
    });
    expect(parseIkeProposal('aes256-sha1-prfsha512-modp1024')).toEqual({
      ok: true,
      proposals: [{ encryption: 'aes256', integrity: 'sha1', prf: 'sha512', group: 'modp1024' }],
    });
    expect(parseEspProposal('aes256-sha1')).toEqual({
      ok: true,
      proposals: [{ encryption: 'aes256', integrity: 'sha1', esn: false }],
    });
    expect(parseEspProposal('aes128ccm64-x25519-esn')).toEqual({
      ok: true,
      proposals: [{ encryption: 'aes128ccm8', group: 'x25519', esn: true }],
    });
    expect(parseEspProposal('aes256-sha256_96')).toEqual({
      ok: true,
      proposals: [{ encryption: 'aes256', integrity: 'sha256-96', esn: false }],
    });
  });

  it('mean every combination where they name several of a kind', () => {
    const parsed = parseIkeProposal('aes256-aes128-sha256-sha1-modp2048-modp1024');
    expect(parsed.ok && parsed.proposals.map(formatIkeProposal)).toEqual([
      'aes256-sha256-modp2048',
      'aes256-sha256-modp1024',
      'aes256-sha1-modp2048',
      'aes256-sha1-modp1024',
      'aes128-sha256-modp2048',
      'aes128-sha256-modp1024',
      'aes128-sha1-modp2048',
      'aes128-sha1-modp1024',
    ]);
    const esp = parseEspProposal('aes256gcm16-esn-noesn');
    expect(esp.ok && esp.proposals.map(({ esn }) => esn)).toEqual([true, false]);
  });

  it.each([
    ['', 'there is no algorithm called "": two hyphens in a row, or one at an end'],
    ['aes256--modp2048', 'there is no algorithm called "": two hyphens in a row, or one at an end'],
    ['aes256-sha256', 'a group is missing, such as modp2048 or x25519'],
    ['sha256-modp2048', 'a cipher is missing, such as aes256 or aes128gcm16'],
    ['aes256-modp2048', 'aes256 needs an integrity algorithm, such as sha256 or sha1'],
    ['aes256gcm16-modp2048', 'aes256gcm16 needs a prf, such as prfsha256'],
    ['aes256gcm16-sha1-prfsha256-modp2048', 'aes256gcm16 takes no integrity algorithm'],
    ['aes256-sha256-modp2048-esn', 'extended sequence numbers belong to ESP, not to IKE'],
    ['aes256-sha256-modp2', 'there is no algorithm called "modp2": did you mean modp2048'],
    ['des-sha256-modp2048', 'there is no algorithm called "des"'],
    ['aes256-sha256-\u001b[2J', 'there is no algorithm called "\\x1b[2j"'],
  ])('explain what is wrong with %j for IKE', (text, reason) => {
    expect(reasonOf(parseIkeProposal(text))).toBe(reason);
  });

  it.each([
    ['aes256gcm16-sha1', 'aes256gcm16 takes no integrity algorithm'],
    ['aes256-sha1-prfsha1', 'a prf belongs to IKE, not to ESP'],
    ['aes256', 'aes256 needs an integrity algorithm, such as sha256 or sha1'],
    ['aes256gcm16-ke1_mlkem768', 'an additional key exchange needs a group beside it, such as x25519'],
  ])('explain what is wrong with %j for ESP', (text, reason) => {
    expect(reasonOf(parseEspProposal(text))).toBe(reason);
  });

  it('stand for 256 combinations at most', () => {
    const all = 'aes256-aes192-aes128-3des-sha512-sha384-sha256-sha1-prfsha512-prfsha384-prfsha256-prfsha1';
    expect(parseIkeProposal(`${all}-modp2048-modp3072-modp4096-ecp256`).ok).toBe(true);
    expect(reasonOf(parseIkeProposal(`${all}-modp2048-modp3072-modp4096-ecp256-ecp384`))).toBe(
      'these are 320 combinations, and 256 are the limit',
    );
  });

  it('are read back as they were written', () => {
    fc.assert(
      fc.property(arbitraryIkeProposal, (proposal) => {
        expect(parseIkeProposal(formatIkeProposal(proposal))).toEqual({ ok: true, proposals: [proposal] });
      }),
    );
    fc.assert(
      fc.property(arbitraryEspProposal, (proposal) => {
        expect(parseEspProposal(formatEspProposal(proposal))).toEqual({ ok: true, proposals: [proposal] });
      }),
    );
  });

  it('never throw, whatever is typed', () => {
    const words = fc.constantFrom('aes256', 'sha', 'prf', 'prfsha1', 'esn', 'modp2048', '__proto__', '3des', 'x25519');
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.oneof(words, fc.string())).map((parts) => parts.join('-')),
    );
    fc.assert(
      fc.property(text, (typed) => {
        expect(typeof parseIkeProposal(typed).ok).toBe('boolean');
        expect(typeof parseEspProposal(typed).ok).toBe('boolean');
      }),
    );
  });
});
