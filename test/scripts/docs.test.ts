import { describe, expect, it } from 'vitest';
import { BRANCH, OFFICE } from '../../firmware/config/reference/examples.ts';
import { branchIpsec } from '../../scripts/demonstration/office.ts';
import { branchConfiguration, officeConfiguration } from '../../scripts/lab/branch-network.ts';

const PROTECTION = { ikeVersion: 2, psk: 'a long secret of both ends' } as const;

describe('docs/configuration.md', () => {
  it("has the configurations of the demo's two routers among its examples", () => {
    expect(BRANCH.document).toEqual({ ...branchConfiguration({ ipsec: 'hq' }), ipsec: branchIpsec(PROTECTION) });
    const branches = { version: 2, remote: 'any', mode: 'transport', psk: PROTECTION.psk };
    expect(OFFICE.document).toEqual({
      ...officeConfiguration({ ipsec: 'branches' }),
      ipsec: { connections: { branches } },
    });
  });
});
