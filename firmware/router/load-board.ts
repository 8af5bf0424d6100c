import { readFile } from 'node:fs/promises';
import Type from 'typebox';
import { Value } from 'typebox/value';
import type { BoardDescription } from '../../board/board.ts';
import { simulated } from '../../board/simulated.ts';

/** The boards that come with the program, by name. */
const BOARDS: ReadonlyMap<string, BoardDescription> = new Map([[simulated.name, simulated]]);

const text = Type.String({ minLength: 1, maxLength: 255 });

/** A board file is JSON of this shape; see `board/board.ts` for what each key means. */
const BOARD_SCHEMA = Type.Object(
  {
    name: text,
    description: text,
    leds: Type.Array(
      Type.Object(
        { purpose: Type.Enum(['power', 'wan', 'vpn', 'lan']), device: text },
        { additionalProperties: false },
      ),
    ),
    buttons: Type.Array(
      Type.Object(
        {
          purpose: Type.Enum(['reset']),
          chip: text,
          line: Type.Integer({ minimum: 0 }),
          activeLow: Type.Boolean(),
        },
        { additionalProperties: false },
      ),
    ),
    factoryLan: Type.Optional(
      Type.Object(
        { device: text, address: Type.String({ format: 'ipv4-interface' }) },
        { additionalProperties: false },
      ),
    ),
    consoleDevice: Type.Optional(text),
    enrolmentKey: Type.Optional(text),
  },
  { additionalProperties: false },
);

/**
 * The board that `--board` names: one of ours, or the JSON file with a description.
 * @throws Error in words: what, why, and what to do.
 */
export async function loadBoard(nameOrFile: string): Promise<BoardDescription> {
  const known = BOARDS.get(nameOrFile);
  if (known) return known;
  if (!nameOrFile.includes('/') && !nameOrFile.endsWith('.json')) {
    throw new Error(
      `there is no board ${JSON.stringify(nameOrFile)}: use ${[...BOARDS.keys()].join(', ')}, or the path of a board file`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(await readFile(nameOrFile, 'utf8'));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the board file ${nameOrFile} cannot be read: ${why}; check its name and that it is JSON`);
  }
  if (Value.Check(BOARD_SCHEMA, value)) return value;
  const [first] = Value.Errors(BOARD_SCHEMA, value);
  throw new Error(
    `the board file ${nameOrFile} is not a board description: ${first?.instancePath ?? ''} ${first?.message ?? ''}; ` +
      'correct it there',
  );
}
