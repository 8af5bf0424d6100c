import { readFile } from 'node:fs/promises';
import type { BoardDescription, BoardMatch } from '../../board/board.ts';
import { nanopiR5s } from '../../board/nanopi-r5s.ts';
import { openwrtGeneric } from '../../board/openwrt-generic.ts';
import { pcAmd64 } from '../../board/pc-amd64.ts';
import { raspberryPi4 } from '../../board/raspberry-pi-4.ts';
import { raspberryPi5 } from '../../board/raspberry-pi-5.ts';
import { raspberryPiCm4DualNic } from '../../board/raspberry-pi-cm4-dual-nic.ts';
import { simulated } from '../../board/simulated.ts';
import type { MachineIdentity } from '../../hal/machine-identity.ts';
import { checkBoard } from './board-schema.ts';

/** The boards that come with the program. */
export const BOARDS: readonly BoardDescription[] = [
  raspberryPi4,
  raspberryPi5,
  raspberryPiCm4DualNic,
  nanopiR5s,
  openwrtGeneric,
  pcAmd64,
  simulated,
];

/**
 * The board that `--board` names: one of ours, or the JSON file with a description.
 * @throws Error in words: what, why, and what to do.
 */
export async function loadBoard(nameOrFile: string): Promise<BoardDescription> {
  const known = BOARDS.find(({ name }) => name === nameOrFile);
  if (known) return known;
  if (!nameOrFile.includes('/') && !nameOrFile.endsWith('.json')) {
    throw new Error(
      `there is no board ${JSON.stringify(nameOrFile)}: use ${BOARDS.map(({ name }) => name).join(', ')}, or the path of a board file`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(await readFile(nameOrFile, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the board file ${nameOrFile} cannot be read: ${why}; check its name and that it is JSON`);
  }
  const checked = checkBoard(value);
  if (checked.ok) return checked.board;
  throw new Error(`the board file ${nameOrFile} is not a board description: ${checked.problem}; correct it there`);
}

export interface DetectedBoard {
  readonly board: BoardDescription;
  /** By what it is known, one sentence without a full stop. */
  readonly why: string;
}

/** The board that the machine says it is: the one whose name stands first, for that is the most special; else a simulated one. */
export function detectBoard(machine: MachineIdentity, boards: readonly BoardDescription[] = BOARDS): DetectedBoard {
  const found = boards.flatMap((board) => {
    const by = matchOf(board.match, machine);
    return by === undefined ? [] : [{ board, ...by }];
  });
  const [first] = found.toSorted((one, other) => one.rank - other.rank);
  if (first !== undefined) return first;
  return { board: simulated, why: 'the machine is none of the boards that are known here' };
}

/** @returns rank 0 for the most special; `undefined`: it is another board. */
function matchOf(
  match: BoardMatch | undefined,
  machine: MachineIdentity,
): { readonly rank: number; readonly why: string } | undefined {
  if (match === undefined) return undefined;
  const { compatible, dmi, devices = [] } = match;
  if (!devices.every((device) => machine.devices.includes(device))) return undefined;
  if (compatible !== undefined) {
    const rank = machine.compatible.findIndex((name) => compatible.includes(name));
    if (rank >= 0) return { rank, why: `its device tree says ${machine.compatible[rank]}` };
  }
  const { vendor, product } = machine;
  const known = dmi?.some((entry) => entry.vendor === vendor && product.startsWith(entry.product ?? ''));
  return known ? { rank: 0, why: `its firmware says ${[vendor, product].filter(Boolean).join(' ')}` } : undefined;
}
