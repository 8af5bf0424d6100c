/** Schema of `interfaces.NAME.dsl`: the modem in front of an interface, and who tells how its line is. */
import Type, { type Static } from 'typebox';
import { DSL_CHIPSETS } from '../protocol/dsl/chipsets.ts';
import { count, secret } from './schema-parts.ts';

export const DSL_SCHEMA = Type.Object(
  {
    source: Type.Enum(['serial', 'file'], {
      title: 'Source',
      description:
        'Who tells how the line is: the serial console of the modem, or a file into which something else writes what the modem says.',
      default: 'serial',
    }),
    device: Type.String({
      'x-priority': 'basic',
      title: 'Device',
      description: 'The serial device on which the console of the modem is, or the file.',
      pattern: '^/[\\x21-\\x7e]{1,255}$',
      'x-allowed': 'an absolute path such as /dev/ttyUSB3 or /run/dsl-status',
    }),
    baud: count({
      title: 'Speed',
      description: 'Of the serial console.',
      default: 115200,
      minimum: 1200,
      maximum: 4000000,
      unit: 'bits per second',
    }),
    chipset: Type.Enum(['auto', ...DSL_CHIPSETS], {
      'x-priority': 'basic',
      title: 'Chipset',
      description: 'Which commands the modem knows; "auto" tries all, and none of them changes anything.',
      default: 'auto',
    }),
    user: Type.Optional(
      Type.String({ title: 'User', description: 'For a console that wants a login.', format: 'ppp-credential' }),
    ),
    password: Type.Optional(secret({ title: 'Password', description: 'For a console that wants a login.' })),
  },
  {
    title: 'DSL line',
    description: 'The DSL modem in front of this interface. It is looked at only; the interface works without it.',
    additionalProperties: false,
  },
);

export type DslConfiguration = Static<typeof DSL_SCHEMA>;
