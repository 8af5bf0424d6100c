import { describe, expect, it } from 'vitest';
import {
  CE,
  DROP,
  decapsulatedEcn,
  ECT_0,
  ECT_1,
  NOT_ECT,
  outerTrafficClass,
} from '../../../../firmware/protocol/esp/traffic-class.ts';

describe('DSCP and ECN through a tunnel', () => {
  it('copies DSCP and ECN outwards', () => {
    for (let octet = 0; octet < 256; octet++) expect(outerTrafficClass(octet, 'copy')).toBe(octet);
  });

  it('keeps ECN where the outer DSCP is fixed', () => {
    expect(outerTrafficClass(0xb8 | ECT_0, 0)).toBe(ECT_0);
    expect(outerTrafficClass(0x00 | CE, 46)).toBe(0xb8 | CE);
  });

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
