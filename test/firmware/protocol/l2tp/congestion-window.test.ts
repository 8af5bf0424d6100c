import { describe, expect, it } from 'vitest';
import { CongestionWindow } from '../../../../firmware/protocol/l2tp/congestion-window.ts';

function sizesAfter(window: CongestionWindow, acknowledgements: number): number[] {
  return Array.from({ length: acknowledgements }, () => {
    window.acknowledged();
    return window.size;
  });
}

describe('the congestion window', () => {
  it('begins at one and grows by one with every acknowledgement up to the advertised window', () => {
    const window = new CongestionWindow(4);
    expect(window.size).toBe(1);
    expect(sizesAfter(window, 6)).toEqual([2, 3, 4, 4, 4, 4]);
  });

  it('falls to one on a retransmission and remembers half of what it was', () => {
    const window = new CongestionWindow(16);
    sizesAfter(window, 8);
    window.retransmitted();
    expect(window.size).toBe(1);
    expect(window.threshold).toBe(4);
  });

  it('grows by one a round trip once it has reached the threshold', () => {
    const window = new CongestionWindow(16);
    sizesAfter(window, 7);
    window.retransmitted();
    // Slow start to 4, then one more for every 4, 5, 6 acknowledgements.
    expect(sizesAfter(window, 3)).toEqual([2, 3, 4]);
    expect(sizesAfter(window, 4)).toEqual([4, 4, 4, 5]);
    expect(sizesAfter(window, 5)).toEqual([5, 5, 5, 5, 6]);
  });

  it('shrinks to a smaller window that the peer advertises, and takes a larger one as threshold', () => {
    const small = new CongestionWindow(4);
    sizesAfter(small, 3);
    small.advertise(1);
    expect(small.size).toBe(1);
    expect(sizesAfter(small, 3)).toEqual([1, 1, 1]);
    const large = new CongestionWindow(4);
    large.advertise(8);
    expect(sizesAfter(large, 9)).toEqual([2, 3, 4, 5, 6, 7, 8, 8, 8]);
  });

  it('keeps the threshold of a congestion that came before the peer told its window', () => {
    const window = new CongestionWindow(4);
    window.retransmitted();
    window.advertise(16);
    expect(window.threshold).toBe(1);
  });
});
