import { describe, expect, it } from 'vitest';
import { ikeSaKeys } from '../../../../../firmware/protocol/ike/crypto/keys-v2.ts';
import type { IkeProposal } from '../../../../../firmware/protocol/ike/proposals.ts';
import { MessageProtection } from '../../../../../firmware/protocol/ike/v2/encrypted.ts';
import { MAX_FRAGMENTS, Reassembly, sealMessage } from '../../../../../firmware/protocol/ike/v2/fragmentation.ts';
import { SeededRandom } from '../../../../support/seeded-random.ts';

const COMBINED = ['aes128gcm8', 'aes192gcm12', 'aes256gcm16', 'aes128ccm8', 'aes256ccm16', 'chacha20poly1305'];
const PLAIN = ['aes128', 'aes256', 'aes128ctr', '3des'];
const PROPOSALS: readonly IkeProposal[] = [
  ...COMBINED.map((encryption) => ({ encryption, prf: 'sha256', group: 'x25519' })),
  ...PLAIN.flatMap((encryption) =>
    ['sha1', 'sha256', 'sha512'].map((integrity) => ({ encryption, integrity, prf: 'sha256', group: 'x25519' })),
  ),
];

function pair(proposal: IkeProposal): { ours: MessageProtection; theirs: MessageProtection } {
  const random = new SeededRandom(3);
  const seed = {
    nonceI: random.bytes(32),
    nonceR: random.bytes(32),
    spiI: random.bytes(8),
    spiR: random.bytes(8),
    sharedSecret: random.bytes(32),
  };
  const keys = ikeSaKeys(proposal, seed);
  return {
    ours: new MessageProtection(proposal, keys, true, random),
    theirs: new MessageProtection(proposal, keys, false, random),
  };
}

const HEADER = {
  spiI: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  spiR: Uint8Array.of(9, 9, 9, 9, 9, 9, 9, 9),
  exchange: 37,
  fromInitiator: true,
  response: false,
  messageId: 7,
};

describe('the Encrypted payload', () => {
  it.each(PROPOSALS.map((proposal) => [`${proposal.encryption} ${proposal.integrity ?? ''}`, proposal] as const))(
    'with %s opens at the other end and nowhere else',
    (_name, proposal) => {
      const { ours, theirs } = pair(proposal);
      for (const length of [0, 1, 15, 16, 17, 300]) {
        const content = new Uint8Array(length).fill(length);
        const sealed = ours.seal(HEADER, 41, content);
        expect(theirs.open(sealed)).toEqual({ firstType: 41, content, reserved: 0 });
        expect(ours.open(sealed)).toBeUndefined();
      }
    },
  );

  it.each(PROPOSALS.map((proposal) => [`${proposal.encryption} ${proposal.integrity ?? ''}`, proposal] as const))(
    'with %s does not open when any octet was changed',
    (_name, proposal) => {
      const { ours, theirs } = pair(proposal);
      const sealed = ours.seal(HEADER, 41, new Uint8Array(20).fill(5), { number: 1, total: 2 });
      for (let at = 0; at < sealed.length; at += 1) {
        const spoiled = sealed.slice();
        spoiled[at] = (spoiled[at] ?? 0) ^ 1;
        let opened: unknown;
        try {
          opened = theirs.open(spoiled);
        } catch {
          opened = undefined;
        }
        expect([at, opened]).toEqual([at, undefined]);
      }
    },
  );

  it('never uses an IV of a counter mode twice', () => {
    const { ours } = pair({ encryption: 'aes128gcm16', prf: 'sha256', group: 'x25519' });
    const seen = new Set<string>();
    for (let count = 0; count < 100; count += 1) {
      seen.add(Buffer.from(ours.seal(HEADER, 0, new Uint8Array(0)).subarray(32, 40)).toString('hex'));
    }
    expect(seen.size).toBe(100);
  });
});

describe('fragmentation (RFC 7383)', () => {
  const proposal = { encryption: 'aes256', integrity: 'sha256', prf: 'sha256', group: 'x25519' };
  const content = Uint8Array.from({ length: 1000 }, (_, index) => index & 255);

  function fragments(limit: number) {
    const { ours, theirs } = pair(proposal);
    const datagrams = sealMessage(ours, HEADER, 41, content, limit);
    return { datagrams, opened: datagrams.map((datagram) => theirs.open(datagram)) };
  }

  it('cuts so that no datagram is longer than the limit, and puts together in any order', () => {
    const { datagrams, opened } = fragments(300);
    expect(datagrams.length).toBeGreaterThan(3);
    for (const datagram of datagrams) expect(datagram.length).toBeLessThanOrEqual(300);
    expect(opened.map((one) => one?.firstType)).toEqual([41, ...new Array<number>(datagrams.length - 1).fill(0)]);
    const reassembly = new Reassembly();
    const results = [...opened].reverse().map((one) => one && reassembly.add(0, 7, one));
    expect(results.at(-1)).toEqual({ firstType: 41, content, reserved: 0 });
    expect(results.slice(0, -1).every((one) => one === undefined)).toBe(true);
  });

  it('leaves alone what is short enough, and everything for a peer that cannot put it together', () => {
    const { ours } = pair(proposal);
    expect(sealMessage(ours, HEADER, 41, content.subarray(0, 100), 300)).toHaveLength(1);
    expect(sealMessage(ours, HEADER, 41, content, undefined)).toHaveLength(1);
  });

  it('starts over when the sender cuts finer, and ignores what was cut coarser', () => {
    const coarse = fragments(600).opened;
    const fine = fragments(200).opened;
    const reassembly = new Reassembly();
    const add = (one: (typeof fine)[number]) => (one === undefined ? undefined : reassembly.add(0, 7, one));
    add(coarse[0]);
    add(fine[0]);
    expect(add(coarse[1])).toBeUndefined();
    expect(fine.slice(1).map(add).at(-1)).toEqual({ firstType: 41, content, reserved: 0 });
  });

  it('forgets fragments that waited too long, and those of another message', () => {
    const { opened } = fragments(600);
    const [first, ...rest] = opened;
    const reassembly = new Reassembly();
    if (first) reassembly.add(0, 7, first);
    expect(rest.map((one) => one && reassembly.add(31_000, 7, one)).every((one) => one === undefined)).toBe(true);
    const other = new Reassembly();
    if (first) other.add(0, 7, first);
    expect(rest.map((one) => one && other.add(0, 8, one)).every((one) => one === undefined)).toBe(true);
  });

  it('wants no message of more fragments than anybody needs, and none twice', () => {
    const reassembly = new Reassembly();
    expect(reassembly.wants(0, 7, { number: 1, total: MAX_FRAGMENTS + 1 })).toBe(false);
    const [first] = fragments(600).opened;
    if (first) reassembly.add(0, 7, first);
    expect(reassembly.wants(0, 7, first?.fragment ?? { number: 0, total: 0 })).toBe(false);
  });
});
