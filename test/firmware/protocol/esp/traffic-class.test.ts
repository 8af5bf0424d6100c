import { describe, expect, it } from 'vitest';
import { CE, DROP, decapsulatedEcn, ECT_0, ECT_1, NOT_ECT } from '../../../../firmware/protocol/esp/traffic-class.ts';

describe('ECN at the end of a tunnel', () => {
  it('combines inner and outer ECN as RFC 6040 figure 4 does', () => {
    const outer = [NOT_ECT, ECT_0, ECT_1, CE];
    const row = (inner: number) => outer.map((field) => decapsulatedEcn(inner, field));
    expect(row(NOT_ECT)).toEqual([NOT_ECT, NOT_ECT, NOT_ECT, DROP]);
    expect(row(ECT_0)).toEqual([ECT_0, ECT_0, ECT_1, CE]);
    expect(row(ECT_1)).toEqual([ECT_1, ECT_1, ECT_1, CE]);
    expect(row(CE)).toEqual([CE, CE, CE, CE]);
  });

  it('looks at the ECN field only', () => {
    expect(decapsulatedEcn(0xfc | ECT_0, 0xb8 | CE)).toBe(CE);
  });
});
