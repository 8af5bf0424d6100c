/** What the control API is asked and answers about configurations. The types of {@link ./configuration-control.ts} follow. */
import { Type } from 'typebox';
import { CONFIRM_WITHIN_S } from '../config/commit/commit-types.ts';
import { VIAS } from '../config/store/revision.ts';
import { BACKUP_LIMIT, MAX_COMMENT, MAX_PASSPHRASE, MAX_REVISION, MAX_WHO } from './limits.ts';
import { count, text } from './schema-parts.ts';

/** No control characters: it stands in a line of the history and of the log. */
const ONE_LINE = '^[^\\p{Cc}]*$';

const sentences = (description: string) =>
  Type.Array(Type.String(), { description: `${description}; one sentence each, without a full stop.` });

const wallClock = (description: string) => Type.Number({ description: `${description}, wall-clock ms since 1970.` });

export const authorSchema = Type.Object({
  who: text('Name of the user.'),
  via: Type.Enum([...VIAS], { description: 'By which way the change came.' }),
});

export const configurationStateSchema = Type.Object(
  {
    revision: count('0: none was ever committed.'),
    state: Type.Enum(['factory', 'confirmed', 'pending', 'recovered', 'failsafe'], {
      description:
        '`factory`: none was ever committed. `pending`: it waits for its confirmation. `recovered`: the store was damaged, ' +
        'and what is in force is the last good export. `failsafe`: there was no export either; LAN only.',
    }),
    reason: Type.Optional(text('Of `recovered` and `failsafe`, one sentence without a full stop.')),
    remedy: Type.Optional(text('What to do about it, one sentence without a full stop.')),
    secondsLeft: Type.Optional(
      Type.Number({ minimum: 0, description: 'Of `pending`: until it reverts by itself, s.' }),
    ),
    parent: Type.Optional(count('Of `pending`: the revision that comes back then.')),
    who: Type.Optional(text('Of `pending`: who put it in force.')),
  },
  { description: 'What is in force, and how safe that is.' },
);

const difference = {
  diff: Type.Array(text('`+ path = value`, `- path = value`, `~ path: old -> new`; secrets left out.')),
  connections: sentences('Connections that start, end or start anew'),
  network: Type.Array(text("A change of the machine's network in the words of ip(8)."), {
    description: 'Empty for a comparison of two old revisions.',
  }),
  warnings: sentences('What is allowed and probably not meant'),
};

export const differenceSchema = Type.Object(difference);

export const committedSchema = Type.Object({
  revision: count('The revision in force now; when nothing changed, the one that was in force already.'),
  confirmBy: Type.Optional(wallClock('When it reverts; absent when it is confirmed')),
  failures: sentences("What could not be set on the machine's network; it is tried again by itself"),
  ...difference,
});

export const revisionSchema = Type.Object({
  id: Type.Integer({ minimum: 1, description: 'Never used twice.' }),
  parent: Type.Optional(count('The confirmed revision that it replaced; absent for the first.')),
  hash: text('SHA-256 over the stored document, 64 hexadecimal digits.'),
  comment: text('Empty when nobody said anything.'),
  at: wallClock('When it was put in force'),
  state: Type.Enum(['pending', 'confirmed', 'reverted']),
  reason: Type.Optional(text('Why it was reverted, one sentence without a full stop.')),
  ...authorSchema.properties,
});

export const historySchema = Type.Object({
  state: configurationStateSchema,
  revisions: Type.Array(revisionSchema, { description: 'The newest first.' }),
  events: Type.Array(
    Type.Object({ at: wallClock('When it happened'), text: text('One sentence without a full stop.') }),
    { description: 'What happened to the configuration, the newest first.' },
  ),
});

/** A draft that somebody is working on; there is one at a time. */
export const candidateSchema = Type.Object({
  ...authorSchema.properties,
  base: count('The revision that was in force when it was begun.'),
  at: wallClock('When it was changed last'),
  text: text('The configuration as JSON text, secrets replaced by stars. It need not be valid.'),
  etag: text('As the header ETag has it, quotes included: another one after each change. For `If-Match`.'),
});

export const candidateAnswerSchema = Type.Object({ candidate: Type.Optional(candidateSchema) });

export const backupSchema = Type.Object({ text: text('The backup: one JSON file, secrets under the passphrase.') });

/** Who asks, in the query of whatever changes something. */
const author = {
  who: Type.String({ minLength: 1, maxLength: MAX_WHO, pattern: ONE_LINE, description: 'Name of the user.' }),
  via: authorSchema.properties.via,
};

const takeover = {
  takeover: Type.Optional(Type.Boolean({ description: "Also when the draft is somebody else's." })),
};

const commit = {
  ...author,
  comment: Type.Optional(Type.String({ maxLength: MAX_COMMENT, pattern: ONE_LINE, description: 'For the history.' })),
  confirmWithin: Type.Optional(
    Type.Integer({ ...CONFIRM_WITHIN_S, description: 'It reverts unless it is confirmed within this time, s.' }),
  ),
  check: Type.Optional(
    Type.Boolean({
      description: 'Only with `confirmWithin`: confirmed by itself once every connection that was up is up again.',
    }),
  ),
  base: Type.Optional(
    Type.Integer({ minimum: 0, maximum: MAX_REVISION, description: 'Refused when another revision is in force.' }),
  ),
};

export const authorQuery = Type.Object(author);
export const draftQuery = Type.Object({ ...author, ...takeover });
export const commitQuery = Type.Object(commit);
export const rollbackQuery = Type.Object({
  ...commit,
  revision: Type.Integer({ minimum: 1, maximum: MAX_REVISION, description: 'Whose document comes back.' }),
});

/** A revision by its number, or what is in force, or the candidate. */
const reference = (description: string) =>
  Type.String({ pattern: '^(?:running|candidate|[1-9][0-9]{0,8})$', description });
export const compareQuery = Type.Object({
  from: reference('`running`, `candidate`, or the number of a revision.'),
  to: reference('The same, what it is compared with.'),
});

const passphrase = Type.String({
  minLength: 1,
  maxLength: MAX_PASSPHRASE,
  description: 'Under which the secrets are; it stands in no log.',
});
export const backupBody = Type.Object({ passphrase });
export const restoreBody = Type.Object({
  passphrase,
  text: Type.String({ minLength: 1, maxLength: BACKUP_LIMIT, description: 'The backup, as it was made.' }),
});
