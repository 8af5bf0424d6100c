/** Arbitrary proposals that have a meaning, for property tests. */
import fc from 'fast-check';
import type { EspProposal, IkeProposal } from '../../../../firmware/protocol/ike/proposals.ts';
import { isCombinedMode, TRANSFORMS } from '../../../../firmware/protocol/ike/transforms.ts';

const names = (kind: 'encryption' | 'prf' | 'integrity' | 'group'): readonly string[] =>
  TRANSFORMS.filter((row) => row.kind === kind).map((row) => row.name);

const COMBINED = new Set(
  TRANSFORMS.flatMap((row) => (row.kind === 'encryption' && isCombinedMode(row) ? [row.name] : [])),
);

const cipher = fc
  .record({ encryption: fc.constantFrom(...names('encryption')), integrity: fc.constantFrom(...names('integrity')) })
  .map(({ encryption, integrity }) => (COMBINED.has(encryption) ? { encryption } : { encryption, integrity }));

export const arbitraryIkeProposal: fc.Arbitrary<IkeProposal> = fc
  .record({ cipher, prf: fc.constantFrom(...names('prf')), group: fc.constantFrom(...names('group')) })
  .map(({ cipher: { encryption, ...rest }, prf, group }) => ({ encryption, ...rest, prf, group }));

export const arbitraryEspProposal: fc.Arbitrary<EspProposal> = fc
  .record({
    cipher,
    group: fc.constantFrom(undefined, ...names('group')),
    additional: fc.constantFrom(undefined, 'mlkem768'),
    esn: fc.boolean(),
  })
  .map(({ cipher: { encryption, ...rest }, group, additional, esn }) => ({
    encryption,
    ...rest,
    ...(group === undefined ? {} : { group }),
    ...(group === undefined || additional === undefined ? {} : { additional }),
    esn,
  }));
