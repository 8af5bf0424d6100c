/** The bodies of the control API that are about configurations; see `configuration-control.ts` for what they mean. */
import { Type } from 'typebox';
import { VIAS } from '../config/store/revision.ts';
import { CONFIRM_WITHIN_S } from './configuration-control.ts';

/** Longest name of a user and longest comment that a request may give, characters. */
const MAX_WHO = 64;
const MAX_COMMENT = 256;

/** Longest passphrase, characters. */
const MAX_PASSPHRASE = 1024;

const text = (description: string) => Type.String({ description });
const sentences = (description: string) => Type.Array(text('One sentence without a full stop.'), { description });
const instant = (description: string) => Type.Integer({ description: `${description} Wall clock, ms since 1970.` });

const author = {
  who: Type.String({ minLength: 1, maxLength: MAX_WHO, description: 'Name of the user who changes it.' }),
  via: Type.Enum([...VIAS], { description: 'By which way.' }),
};

const fileName = {
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: 'Of the file, for messages.' })),
};

const commit = {
  ...author,
  comment: Type.String({ maxLength: MAX_COMMENT, default: '', description: 'For the history.' }),
  confirmWithin: Type.Optional(
    Type.Integer({ ...CONFIRM_WITHIN_S, description: 'Seconds after which it reverts unless it is confirmed.' }),
  ),
  check: Type.Optional(
    Type.Boolean({ description: 'It is confirmed by itself when every connection that was up is up again.' }),
  ),
  base: Type.Optional(Type.Integer({ minimum: 0, description: 'The revision that the author saw.' })),
};

export const authorQuery = Type.Object(author);
export const fileQuery = Type.Object(fileName);
export const commitQuery = Type.Object(commit);
export const commitFileQuery = Type.Object({ ...fileName, ...commit });
export const rollbackQuery = Type.Object({ ...commit, revision: Type.Integer({ minimum: 1 }) });
export const takeoverQuery = Type.Object({
  ...fileName,
  ...author,
  takeover: Type.Boolean({ default: false, description: "Also when it is somebody else's." }),
});

const reference = Type.String({ pattern: '^([1-9][0-9]{0,8}|running|candidate)$' });
export const compareQuery = Type.Object({ from: reference, to: reference });

const passphrase = Type.String({ minLength: 1, maxLength: MAX_PASSPHRASE });
export const backupBody = Type.Object({ passphrase }, { additionalProperties: false });
export const restoreBody = Type.Object({ text: Type.String(), passphrase }, { additionalProperties: false });

const difference = {
  diff: Type.Array(text('One change, secrets left out.')),
  connections: sentences('Connections that start, end or start anew.'),
  network: Type.Array(text("What changes on the machine's network, one line each.")),
  warnings: sentences('What should be looked at, and does not stand in the way.'),
};

export const differenceSchema = Type.Object(difference);

export const committedSchema = Type.Object({
  revision: Type.Integer({ minimum: 0, description: 'The revision in force now.' }),
  confirmBy: Type.Optional(instant('When it reverts by itself; absent when it is confirmed.')),
  ...difference,
  failures: Type.Array(text("What could not be set on the machine's network; it is tried again by itself.")),
});

export const configurationStateSchema = Type.Object({
  revision: Type.Integer({ minimum: 0, description: 'Number of the revision in force; 0: none was ever committed.' }),
  state: Type.Enum(['factory', 'confirmed', 'pending', 'recovered', 'failsafe']),
  reason: Type.Optional(text('Of `recovered` and `failsafe`, one sentence without a full stop.')),
  remedy: Type.Optional(text('What to do about it, one sentence without a full stop.')),
  secondsLeft: Type.Optional(Type.Integer({ minimum: 0, description: 'Of `pending`: until it reverts by itself, s.' })),
  parent: Type.Optional(Type.Integer({ minimum: 0, description: 'Of `pending`: the revision that comes back then.' })),
  who: Type.Optional(text('Of `pending`: who put it in force.')),
});

const revision = Type.Object({
  id: Type.Integer({ minimum: 1 }),
  parent: Type.Optional(Type.Integer({ minimum: 1, description: 'What it replaced; absent for the first.' })),
  hash: text('SHA-256 over the stored document, hexadecimal.'),
  who: text('Who put it in force.'),
  via: Type.Enum([...VIAS]),
  comment: text('Empty when nobody said anything.'),
  at: instant('When.'),
  state: Type.Enum(['pending', 'confirmed', 'reverted']),
  reason: Type.Optional(text('Why it was reverted, one sentence without a full stop.')),
});

export const historySchema = Type.Object({
  state: configurationStateSchema,
  revisions: Type.Array(revision, { description: 'The newest first.' }),
  events: Type.Array(Type.Object({ at: instant('When.'), text: text('One sentence without a full stop.') })),
});

export const candidateSchema = Type.Object({
  candidate: Type.Optional(
    Type.Object({
      who: text('Whose it is.'),
      via: Type.Enum([...VIAS]),
      base: Type.Integer({ minimum: 0, description: 'The revision that was in force when it was begun.' }),
      at: instant('When it was changed last.'),
      text: text('The draft as JSON, stars for every secret.'),
    }),
  ),
});

export const backupSchema = Type.Object({ text: text('The backup: one JSON file.') });
