/** Schema of `users`: who may log in to this router, and as what. */
import Type, { type Static } from 'typebox';
import { flag, secret, USER_NAME, USER_NAME_ALLOWED } from './schema-parts.ts';

/** From the least to the most: each may do what those before it may. */
export const ROLES = ['viewer', 'operator', 'admin'] as const;

/** Each clear password costs the store's thread up to two computations of Argon2id. */
const MAX_USERS = 32;

const USER_SCHEMA = Type.Object(
  {
    role: Type.Enum([...ROLES], {
      title: 'Role',
      description:
        'What the user may do: "viewer" sees status, log and configuration without secrets, "operator" also connects, ' +
        'disconnects and diagnoses, "admin" does everything.',
      'x-priority': 'basic',
    }),
    password: {
      ...secret({
        title: 'Password',
        description:
          'The password, or its hash by Argon2id in PHC format ("$argon2id$v=19$..."). A password in clear is hashed before it ' +
          'is stored, and exists nowhere afterwards.',
        'x-priority': 'basic',
      }),
    },
    totp: Type.Optional(
      secret({
        title: 'Second factor',
        description:
          'Secret of the codes of an authenticator app, 16 to 64 octets in Base32: six digits, 30 s, SHA-1 (RFC 6238). With it ' +
          'a login needs a code, too.',
      }),
    ),
    disabled: flag({
      title: 'Disabled',
      description: 'Nobody logs in as this user, and sessions and tokens of the user end.',
      default: false,
    }),
  },
  { title: 'User', description: 'Somebody who may log in to this router.', additionalProperties: false },
);

export const USERS_SCHEMA = Type.Record(USER_NAME, USER_SCHEMA, {
  title: 'Users',
  description:
    'Who may log in on the serial console and over the network. While there is nobody, there is the user "admin" with an initial ' +
    'password, which the console shows.',
  'x-restarts': 'Nothing; sessions of a user whose password was changed, or who was disabled or taken away, end.',
  default: {},
  maxProperties: MAX_USERS,
  additionalProperties: false,
  'x-allowed': USER_NAME_ALLOWED,
});

export type UserConfiguration = Static<typeof USER_SCHEMA>;
