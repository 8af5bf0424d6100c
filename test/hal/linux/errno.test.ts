import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { errnoName } from '../../../hal/linux/ffi/errno.ts';

describe('errnoName', () => {
  it('agrees with the names that Node knows on this machine', () => {
    // The same number has two names in Node's table; the kernel's headers define the second as the first.
    const synonyms: Readonly<Record<string, string>> = { EWOULDBLOCK: 'EAGAIN', ENOTSUP: 'EOPNOTSUPP' };
    let compared = 0;
    for (const [name, number] of Object.entries(constants.errno)) {
      const ours = errnoName(number);
      if (/^E\d+$/.test(ours)) continue;
      expect(ours).toBe(synonyms[name] ?? name);
      compared++;
    }
    expect(compared).toBeGreaterThan(35);
  });

  it('gives an unknown number as such', () => {
    expect(errnoName(4095)).toBe('E4095');
  });
});
