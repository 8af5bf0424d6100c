/** What the control API is asked and answers about accounts. The types of {@link ./account-administration.ts} follow. */
import { Type } from 'typebox';
import { MAX_WHO } from './limits.ts';
import { text } from './schema-parts.ts';

/** Octets of a password that are looked at; a longer one is nobody's. */
const MAX_PASSWORD = 255;
const MAX_TOKEN_DAYS = 366;

const wall = (description: string) => Type.Number({ description: `${description}, wall-clock ms since 1970.` });

export const roleSchema = Type.Enum(['admin', 'operator', 'viewer']);

const user = Type.String({ minLength: 1, maxLength: MAX_WHO, description: 'Name of the user.' });
const password = Type.String({ minLength: 1, maxLength: MAX_PASSWORD });
const code = Type.String({ pattern: '^[0-9]{6}$', description: 'Of the second factor.' });

export const loginBody = Type.Object({
  user,
  password,
  code: Type.Optional(code),
  address: Type.Optional(
    Type.String({ maxLength: 45, description: 'Of whoever logs in: the back-off counts by it, too. An IP address.' }),
  ),
});

export const loginSchema = Type.Object({
  token: text('Secret. Goes into `Authorization: Bearer`.'),
  user,
  role: roleSchema,
  mustChangePassword: Type.Boolean({ description: 'Nothing else is allowed before.' }),
});

export const whoSchema = Type.Object({
  user,
  role: roleSchema,
  kind: Type.Enum(['session', 'token']),
  mustChangePassword: Type.Boolean({ description: 'Nothing else is allowed before.' }),
});

export const passwordBody = Type.Object({ current: password, next: password });
export const passwordOnlyBody = Type.Object({ password });
export const codeBody = Type.Object({ code });

export const sessionsSchema = Type.Object({
  sessions: Type.Array(
    Type.Object({
      id: text('For whoever ends it; no secret.'),
      user,
      role: roleSchema,
      via: Type.Enum(['console', 'web']),
      from: text('An address, `console`, or `web` where nobody said more.'),
      createdAt: wall('When it began'),
      idleSeconds: Type.Number({ minimum: 0, description: 'Since it was used, s.' }),
    }),
  ),
});

export const tokenSchema = Type.Object({
  id: text('For whoever revokes it; no secret.'),
  name: text('What it is for.'),
  user,
  role: roleSchema,
  createdAt: wall('When it was made'),
  expiresAt: wall('When it ends'),
});

export const tokensSchema = Type.Object({ tokens: Type.Array(tokenSchema) });

const tokenProperties = {
  name: Type.String({ minLength: 1, maxLength: 64, pattern: '^[^\\p{Cc}]+$', description: 'What it is for.' }),
  role: roleSchema,
  days: Type.Integer({ minimum: 1, maximum: MAX_TOKEN_DAYS, description: 'Until it ends.' }),
};

/** Over web.sock, of whoever asks. */
export const ownTokenBody = Type.Object({ ...tokenProperties, password });
/** Over control.sock, of a user who is named. */
export const tokenBody = Type.Object(tokenProperties);

export const createdTokenSchema = Type.Object({
  token: text('Secret; it is shown this once.'),
  info: tokenSchema,
});

export const totpSchema = Type.Object({
  secret: text('Base32; secret.'),
  uri: text('For an authenticator app; secret.'),
});

export const userParameters = Type.Object({ user });

export const idParameters = Type.Object({
  id: Type.String({ pattern: '^[0-9a-f]{16}$', description: 'As the list has it.' }),
});

/** Entries of the audit log that are answered with where nobody says how many, and at most. */
const AUDIT_ENTRIES = { default: 200, maximum: 7000 } as const;

export const auditQuery = Type.Object({
  count: Type.Integer({ minimum: 1, ...AUDIT_ENTRIES, description: 'Entries at most.' }),
});

export const auditSchema = Type.Object({
  entries: Type.Array(
    Type.Object({
      at: wall('When'),
      kind: Type.Enum(['change', 'login']),
      who: text('Name of the user; `-` where there is none of the name that was given, which may be a password.'),
      via: text('`console`, `web`, `cli` and the like.'),
      from: text('An address, `console`, `web`, `token NAME`, or `local`.'),
      what: text('What was asked for, without bodies and secrets.'),
      result: text('`done`, or why not.'),
    }),
    { description: 'The newest first.' },
  ),
});
