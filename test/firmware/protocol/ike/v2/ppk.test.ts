import { describe, expect, it } from 'vitest';
import type { PostQuantumKey } from '../../../../../firmware/protocol/ike/ike-types.ts';
import { Harness, problems } from './harness.ts';

const PPK: PostQuantumKey = {
  id: 'ppk-1',
  key: Buffer.from('a secret of at least 256 bits, as the RFC wants it'),
  mandatory: true,
};
const OPTIONAL: PostQuantumKey = { ...PPK, mandatory: false };
const OTHER: PostQuantumKey = { ...PPK, key: Buffer.from('another secret') };
const UNKNOWN: PostQuantumKey = { ...PPK, id: 'ppk-2' };

function between(left: PostQuantumKey | undefined, right: PostQuantumKey | undefined): Harness {
  const harness = new Harness({
    left: left === undefined ? {} : { ppk: left },
    right: right === undefined ? {} : { ppk: right },
  }).connect();
  harness.run(5000);
  return harness;
}

/** Whether the caller said which PPK it uses, and the other one that it does, too. */
function used(harness: Harness): boolean {
  return (['left', 'right'] as const).every((side) =>
    harness.all(side, 'trace').some(({ direction, message, detail }) => {
      return direction === 'received' && message.startsWith('IKE_AUTH') && detail?.includes('PPK_IDENTITY');
    }),
  );
}

describe('a post-quantum preshared key (RFC 8784)', () => {
  it.each([
    ['both require it', PPK, PPK, true],
    ['one of them does', OPTIONAL, PPK, true],
    ['both could do without', OPTIONAL, OPTIONAL, true],
    ['the called one has none and the caller can do without', OPTIONAL, undefined, false],
    ['the caller has none and the called one can do without', undefined, OPTIONAL, false],
    ['they have different ones and both can do without', { ...UNKNOWN, mandatory: false }, OPTIONAL, false],
  ] as const)('comes up where %s', (_what, left, right, uses) => {
    const harness = between(left, right);
    expect(problems(harness)).toEqual([]);
    expect(used(harness)).toBe(uses);
    for (const side of ['left', 'right'] as const) {
      harness[side].rekeyIke(harness.now, harness.ikeId(side));
      harness.deliverAll();
      harness[side].rekeyChild(harness.now, harness.child(side).id);
      harness.deliverAll();
    }
    expect(problems(harness)).toEqual([]);
  });

  it.each([
    ['the called one has none', PPK, undefined, 'left', /post-quantum preshared key is required/],
    ['the caller has none', undefined, PPK, 'right', /no post-quantum preshared key \(PPK\) of one name/],
    ['it has another name', UNKNOWN, PPK, 'right', /of one name/],
    [
      'the caller could do without, and the called one has another',
      { ...UNKNOWN, mandatory: false },
      PPK,
      'right',
      /of one name/,
    ],
    ['it has the same name and other octets', OTHER, PPK, 'right', /another pre-shared key/],
  ] as const)('does not where %s and it is required, and the words say so', (_what, left, right, side, words) => {
    const harness = between(left, right);
    expect(harness.tables.left.children.size + harness.tables.right.children.size).toBe(0);
    expect(harness.last(side, 'ike-down').failure.reason).toMatch(words);
    expect(harness.last('left', 'ike-down').failure.cause).toBe('refused');
  });

  it('goes into the keys of the child: without it they would be others', () => {
    const withPpk = between(PPK, PPK).child('left').inbound.encryptionKey;
    const other = between(OTHER, OTHER).child('left').inbound.encryptionKey;
    const without = between(undefined, undefined).child('left').inbound.encryptionKey;
    expect(withPpk).not.toEqual(other);
    expect(withPpk).not.toEqual(without);
  });

  it('goes with ML-KEM, too', () => {
    const ikeProposals = [{ encryption: 'aes128gcm16', prf: 'sha256', group: 'x25519', additional: 'mlkem768' }];
    const harness = new Harness({ left: { ppk: PPK, ikeProposals }, right: { ppk: PPK, ikeProposals } }).connect();
    expect(problems(harness)).toEqual([]);
    expect(used(harness)).toBe(true);
  });
});
