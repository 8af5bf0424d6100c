/** Schema of `modems`: cellular modems, by name. */
import Type, { type Static } from 'typebox';
import { count, flag, NAME, NAME_ALLOWED, secret } from './schema-parts.ts';

const MODEM_SCHEMA = Type.Object(
  {
    usb: Type.Optional(
      Type.String({
        title: 'USB id',
        description:
          'Vendor and product of the modem; without it and without a device the first modem of a known kind is taken.',
        pattern: '^[0-9a-f]{4}:[0-9a-f]{4}(@[0-9]+-[0-9.]+)?$',
        'x-allowed': 'four hexadecimal digits, a colon and four more, such as 2c7c:0125, with @1-1.2 for one USB port',
      }),
    ),
    device: Type.Optional(
      Type.String({
        title: 'Device',
        description: 'Serial device for commands and data, for a modem that is not on USB.',
        pattern: '^/[\\x21-\\x7e]{1,255}$',
        'x-allowed': 'the path of a serial device such as /dev/ttyS1',
      }),
    ),
    baud: count({
      title: 'Speed',
      description: 'Of a serial device; modems on USB take any.',
      default: 115200,
      minimum: 1200,
      maximum: 4000000,
      unit: 'bits per second',
    }),
    pin: Type.Optional(
      Type.String({
        'x-priority': 'basic',
        'x-secret': true,
        title: 'PIN',
        description:
          'Of the SIM. A wrong one is tried once and never again, so that the SIM is not blocked by this router.',
        pattern: '^[0-9]{4,8}$',
        'x-allowed': '4 to 8 digits',
      }),
    ),
    apn: Type.Optional(
      Type.String({
        'x-priority': 'basic',
        title: 'APN',
        description: 'Access point name; without it, the one that is known for the operator of the SIM.',
        pattern: '^[A-Za-z0-9]([A-Za-z0-9.-]{0,98}[A-Za-z0-9])?$',
        'x-allowed': 'letters, digits, dots and hyphens, at most 100',
      }),
    ),
    user: Type.Optional(
      Type.String({ title: 'User', description: 'For the APN, where it wants one.', format: 'ppp-credential' }),
    ),
    password: Type.Optional(secret({ title: 'Password', description: 'For the APN.' })),
    roaming: flag({
      title: 'Roaming',
      description: 'Use networks of other operators, which may cost a great deal.',
      default: false,
    }),
    data: Type.Enum(['auto', 'ppp', 'ethernet'], {
      title: 'Data',
      description:
        'By PPP on the serial line, or by the network interface of the modem; "auto" takes the latter where there is one.',
      default: 'auto',
    }),
    monthlyMegabytes: Type.Optional(
      Type.Integer({
        title: 'Data cap',
        description:
          'When this month has carried so much both ways, the modem is not used for traffic until the next one.',
        minimum: 1,
        maximum: 10000000,
        'x-unit': 'megabytes',
      }),
    ),
  },
  { title: 'Modem', description: 'A cellular modem and its SIM.', additionalProperties: false },
);

export const MODEMS_SCHEMA = Type.Record(NAME, MODEM_SCHEMA, {
  title: 'Modems',
  description: 'Cellular modems by name.',
  'x-restarts': 'The modem hangs up and begins anew.',
  default: {},
  maxProperties: 4,
  additionalProperties: false,
  'x-allowed': NAME_ALLOWED,
});

export type ModemConfiguration = Static<typeof MODEM_SCHEMA>;
