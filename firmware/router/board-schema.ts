/** The shape of a board file; `board/board.ts` says what each key means. */
import Type from 'typebox';
import { Value } from 'typebox/value';
import type { BoardButton, BoardDescription, BoardLed } from '../../board/board.ts';
// The format of an address with its prefix length is made known there.
import '../config/formats.ts';

const closed = { additionalProperties: false } as const;
const text = Type.String({ minLength: 1, maxLength: 255 });
/** What the kernel takes as the name of a network device. */
const device = Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9_.@+-]{0,14}$' });
const texts = Type.Array(text, { minItems: 1, maxItems: 32 });
/** A file of a simulated board. */
const fileName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_:-]{0,63}$' });

const gpio = Type.Object({ chip: text, line: Type.Integer({ minimum: 0 }), activeLow: Type.Boolean() }, closed);

const match = Type.Object(
  {
    compatible: Type.Optional(texts),
    dmi: Type.Optional(
      Type.Array(Type.Object({ vendor: text, product: Type.Optional(text) }, closed), { minItems: 1, maxItems: 32 }),
    ),
    devices: Type.Optional(texts),
  },
  closed,
);

const led = Type.Object(
  {
    purpose: Type.Enum(['power', 'wan', 'vpn', 'lte', 'lan', 'status']),
    devices: Type.Optional(texts),
    gpio: Type.Optional(gpio),
    file: Type.Optional(fileName),
    nic: Type.Optional(device),
  },
  closed,
);

const button = Type.Object(
  {
    purpose: Type.Enum(['reset']),
    gpio: Type.Optional(gpio),
    key: Type.Optional(Type.Integer({ minimum: 1, maximum: 0x2ff })),
    file: Type.Optional(fileName),
  },
  closed,
);

const BOARD_SCHEMA = Type.Object(
  {
    name: text,
    description: text,
    match: Type.Optional(match),
    nics: Type.Optional(
      Type.Array(Type.Object({ device, role: Type.Enum(['wan', 'lan']), label: Type.Optional(text) }, closed), {
        maxItems: 32,
      }),
    ),
    leds: Type.Array(led, { maxItems: 32 }),
    buttons: Type.Array(button, { maxItems: 8 }),
    factoryLan: Type.Optional(Type.Object({ device, address: Type.String({ format: 'ipv4-interface' }) }, closed)),
    consoleDevice: Type.Optional(text),
    enrolmentKey: Type.Optional(text),
    modem: Type.Optional(
      Type.Object(
        {
          usb: Type.Array(Type.String({ pattern: '^[0-9a-f]{4}:[0-9a-f]{4}$' }), { maxItems: 64 }),
          power: Type.Optional(gpio),
        },
        closed,
      ),
    ),
    watchdog: Type.Optional(
      Type.Object({ device: text, timeoutSeconds: Type.Integer({ minimum: 5, maximum: 3600 }) }, closed),
    ),
  },
  closed,
);

export type BoardCheck =
  | { readonly ok: true; readonly board: BoardDescription }
  /** JSON pointer and what is wrong there. */
  | { readonly ok: false; readonly problem: string };

/** Whether it describes a board. */
export function checkBoard(value: unknown): BoardCheck {
  if (!Value.Check(BOARD_SCHEMA, value)) {
    const [first] = Value.Errors(BOARD_SCHEMA, value);
    return { ok: false, problem: `${first?.instancePath ?? ''} ${first?.message ?? ''}` };
  }
  const problems = [
    ...value.leds.map((entry, index) => placeProblem(`/leds/${index}`, ledPlaces(entry), 'devices, gpio, file')),
    ...value.buttons.map((entry, index) => placeProblem(`/buttons/${index}`, buttonPlaces(entry), 'gpio, key, file')),
  ];
  const problem = problems.find((found) => found !== undefined);
  return problem === undefined ? { ok: true, board: value } : { ok: false, problem };
}

const ledPlaces = ({ devices, gpio: line, file }: BoardLed): readonly unknown[] => [devices, line, file];
const buttonPlaces = ({ gpio: line, key, file }: BoardButton): readonly unknown[] => [line, key, file];

function placeProblem(path: string, places: readonly unknown[], names: string): string | undefined {
  return places.filter((place) => place !== undefined).length === 1 ? undefined : `${path} needs one of ${names}`;
}
