/** The algorithms of CHAP by the method's name. */
import type { ChapAlgorithm } from './chap.ts';
import { CHAP_MD5 } from './chap-md5.ts';
import type { ChapMethod } from './link-types.ts';
import { MSCHAP_V1 } from './mschapv1.ts';
import { MSCHAP_V2 } from './mschapv2.ts';

const ALGORITHMS: Readonly<Record<ChapMethod, ChapAlgorithm>> = {
  chap: CHAP_MD5,
  mschapv1: MSCHAP_V1,
  mschapv2: MSCHAP_V2,
};

export function chapAlgorithm(method: ChapMethod): ChapAlgorithm {
  return ALGORITHMS[method];
}
