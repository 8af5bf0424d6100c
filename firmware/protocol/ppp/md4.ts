/** The MD4 message digest (RFC 1320), which MS-CHAPv2 needs and the runtime no longer has. For nothing new. */

const BLOCK = 64;

/** One step: which word of the block, and how far to rotate. */
interface Step {
  readonly word: number;
  readonly shift: number;
}

interface Round {
  readonly mix: (x: number, y: number, z: number) => number;
  /** Added in every step. */
  readonly constant: number;
  readonly steps: readonly Step[];
}

/** RFC 1320 section 3.4: order of the words and the four shifts of each round. */
const ROUNDS: readonly Round[] = [
  {
    mix: (x, y, z) => (x & y) | (~x & z),
    constant: 0,
    steps: steps([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [3, 7, 11, 19]),
  },
  {
    mix: (x, y, z) => (x & y) | (x & z) | (y & z),
    constant: 0x5a827999,
    steps: steps([0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15], [3, 5, 9, 13]),
  },
  {
    mix: (x, y, z) => x ^ y ^ z,
    constant: 0x6ed9eba1,
    steps: steps([0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15], [3, 9, 11, 15]),
  },
];

/** The digest of `message`, 16 octets. */
export function md4(message: Uint8Array): Uint8Array {
  const padded = pad(message);
  const view = new DataView(padded.buffer);
  let a = 0x67452301;
  let b = 0xefcdab89 | 0;
  let c = 0x98badcfe | 0;
  let d = 0x10325476;
  for (let block = 0; block < padded.length; block += BLOCK) {
    const before = [a, b, c, d] as const;
    for (const { mix, constant, steps: order } of ROUNDS) {
      for (const { word, shift } of order) {
        const sum = (a + mix(b, c, d) + view.getInt32(block + 4 * word, true) + constant) | 0;
        // The registers change places instead of the letters in the RFC's [ABCD k s], [DABC k s] ...
        a = d;
        d = c;
        c = b;
        b = (sum << shift) | (sum >>> (32 - shift));
      }
    }
    a = (a + before[0]) | 0;
    b = (b + before[1]) | 0;
    c = (c + before[2]) | 0;
    d = (d + before[3]) | 0;
  }
  const digest = new Uint8Array(16);
  const out = new DataView(digest.buffer);
  [a, b, c, d].forEach((register, index) => {
    out.setInt32(4 * index, register, true);
  });
  return digest;
}

/** RFC 1320 sections 3.1 and 3.2: one 1 bit, zeros, and the length in bits as 64 bits, the low word first. */
function pad(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const padded = new Uint8Array(Math.ceil((message.length + 9) / BLOCK) * BLOCK);
  padded.set(message);
  padded[message.length] = 0x80;
  new DataView(padded.buffer).setBigUint64(padded.length - 8, BigInt(message.length) * 8n, true);
  return padded;
}

function steps(words: readonly number[], shifts: readonly number[]): readonly Step[] {
  return words.map((word, index) => ({ word, shift: shifts[index % shifts.length] ?? 0 }));
}
