/** Keys of an IKE SA, for somebody who asked for them. */
import type { IkeSecrets } from '../ike-types.ts';
import type { IkeSa } from './ike-sa.ts';

/** `undefined` as long as there are none, and once the SA is over. */
export function secretsOf(sa: IkeSa): IkeSecrets | undefined {
  const { keys, proposal, spiI, spiR } = sa;
  if (keys === undefined || proposal === undefined || sa.ended) return undefined;
  const { skEi, skEr, skAi, skAr } = keys;
  const { encryption, integrity } = proposal;
  return {
    ikeId: sa.id,
    connection: sa.connection.name,
    path: sa.path,
    behindNat: sa.nat.local,
    ike: {
      version: 2,
      spiI,
      spiR,
      encryption,
      ...(integrity === undefined ? {} : { integrity }),
      skEi,
      skEr,
      skAi,
      skAr,
    },
    children: [...sa.children.values()].map((child) => child.sa),
  };
}
