/** Schema of `system.console`: the console on a serial line. */
import Type from 'typebox';

export const CONSOLE_SCHEMA = Type.Object(
  {
    idleMinutes: Type.Integer({
      title: 'Idle time',
      description: 'How long nobody may type on the serial console before they are logged out.',
      'x-unit': 'minutes',
      'x-restarts': 'Nothing.',
      default: 15,
      minimum: 1,
      maximum: 1440,
    }),
  },
  { title: 'Console', description: 'The console on a serial line.', default: {}, additionalProperties: false },
);
