/** `culvert show limits` in words. */
import type { LimitsStatus } from '../api/router-control.ts';
import { table } from './table.ts';

export function limitsText(limits: LimitsStatus): readonly string[] {
  const { dataPlane, cipher, offloads, kernel, tables } = limits;
  const missing = kernel.features.filter(({ state, use }) => state !== 'present' && use !== 'unused');
  return [
    `data plane: ${dataPlane.engine}, for ${dataPlane.reason}`,
    `  ${dataPlane.cost}`,
    `packet ciphers: ${cipher.engine}, for ${cipher.reason}`,
    `  ${cipher.cost}`,
    ...offloads.flatMap(({ name, used, reason, cost }) => [
      `${name}: ${used ? 'used' : 'not used'}, for ${reason}`,
      `  ${cost}`,
    ]),
    '',
    `kernel ${kernel.release}: ${missing.length === 0 ? 'it has all that this version uses' : 'something that this version uses may be missing'}`,
    ...table([
      ['FEATURE', 'STATE', 'USE', 'HOW THAT IS KNOWN', 'WHAT FOLLOWS'],
      ...kernel.features.map(({ name, state, use, evidence, meaning }) => [name, state, use, evidence, meaning]),
    ]),
    '',
    ...table([
      ['MOST', 'NOW', 'OF WHAT', 'ONE MORE'],
      ...tables.map(({ most, inUse, what, whenFull }) => [`${most}`, `${inUse ?? '-'}`, what, whenFull]),
    ]),
  ];
}
