import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { checkEspProposal, checkIkeProposal } from '../../../../firmware/config/ipsec-proposals.ts';
import { findPhase2Encryption } from '../../../../firmware/protocol/ike/transforms.ts';

/** Reads a proposal and encrypts a block, in a Node that was told to load OpenSSL's legacy provider. */
const WITH_LEGACY_PROVIDER = `
  const root = process.argv[1];
  const { parseEspProposal } = await import(root + 'proposal-text.ts');
  const { espProposalFits } = await import(root + 'proposals.ts');
  const { cbcDecrypt, cbcEncrypt } = await import(root + 'crypto/cipher.ts');
  const { proposals } = parseEspProposal('blowfish-sha1-modp1024');
  const key = new Uint8Array(16).fill(7);
  const iv = new Uint8Array(8);
  const sealed = cbcEncrypt('blowfish128', key, iv, new Uint8Array(16).fill(5));
  const opened = cbcDecrypt('blowfish128', key, iv, sealed);
  const { reason } = parseEspProposal('blowfish256-sha1');
  console.log(JSON.stringify({ proposals, fits: [1, 2].map((version) => espProposalFits(version, proposals[0])), opened: [...opened], reason }));
`;

describe('Blowfish', () => {
  it.each([1, 2] as const)('is refused with the reason under IKEv%i, where the runtime does not have it', (version) => {
    const reason = expect.stringMatching(
      /^blowfish\d* cannot be used: OpenSSL has Blowfish only in its legacy provider/,
    );
    for (const text of ['blowfish128-sha1', 'blowfish-sha256', 'BLOWFISH256-sha1-modp1024']) {
      expect(checkEspProposal(version, text)).toEqual({ ok: false, reason });
    }
    expect(checkIkeProposal(version, 'blowfish128-sha1-modp1024')).toEqual({ ok: false, reason });
    expect(findPhase2Encryption(7, 128)).toBeUndefined();
  });

  it('is there where Node was started with the legacy provider of OpenSSL', () => {
    const root = fileURLToPath(new URL('../../../../firmware/protocol/ike/', import.meta.url));
    const options = ['--openssl-legacy-provider', '--input-type=module', '-e', WITH_LEGACY_PROVIDER, root];
    const said: unknown = JSON.parse(execFileSync(process.execPath, options, { encoding: 'utf8' }));
    expect(said).toEqual({
      proposals: [{ encryption: 'blowfish128', integrity: 'sha1', group: 'modp1024', esn: false }],
      fits: [true, true],
      opened: new Array(16).fill(5),
      reason: 'blowfish256 is Blowfish, of which only keys of 128 bits are known here: blowfish128',
    });
  });
});
