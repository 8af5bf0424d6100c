import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../../firmware/dataplane/userspace/token-bucket.ts';

function taken(bucket: TokenBucket, tries: number, now: number): number {
  return Array.from({ length: tries }, () => bucket.take(now)).filter(Boolean).length;
}

describe('TokenBucket', () => {
  it('gives the burst at once and then the rate', () => {
    const bucket = new TokenBucket(100, 50);
    expect(taken(bucket, 200, 5000)).toBe(50);
    expect(taken(bucket, 200, 5100)).toBe(10);
    expect(taken(bucket, 200, 5104)).toBe(0);
    expect(taken(bucket, 200, 5110)).toBe(1);
  });

  it('holds no more than the burst after a long rest', () => {
    const bucket = new TokenBucket(100, 50);
    expect(taken(bucket, 60, 0)).toBe(50);
    expect(taken(bucket, 200, 1e9)).toBe(50);
  });
});
