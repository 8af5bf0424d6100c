/** The routes of the control API below `/v1/config`, as {@link ./configuration-routes.ts} serves them. */
import { Type } from 'typebox';
import {
  authorQuery,
  backupBody,
  backupSchema,
  candidateAnswerSchema,
  commitQuery,
  committedSchema,
  compareQuery,
  configurationStateSchema,
  differenceSchema,
  draftQuery,
  historySchema,
  restoreBody,
  rollbackQuery,
} from './configuration-schemas.ts';
import { ifMatchHeaders, ifNoneMatchHeaders } from './entity-tags.ts';
import { JSON_TYPE, MERGE_PATCH_TYPE } from './media-types.ts';
import { type DescribedBody, ETAG, json, NOT_MODIFIED, operation } from './operation.ts';
import { doneSchema, nameQuery } from './schemas.ts';

/** Where the document has the schema of the configuration. */
const CONFIGURATION = { $ref: '#/components/schemas/Configuration' } as const;

const configurationBody = (description: string): DescribedBody => ({
  description,
  required: true,
  content: {
    [JSON_TYPE]: { schema: CONFIGURATION },
    'text/plain': { schema: { type: 'string', maxLength: 1_048_576, description: 'JSON or YAML.' } },
  },
});

const commitNamedQuery = Type.Object({ ...commitQuery.properties, ...nameQuery.properties });
const draftNamedQuery = Type.Object({ ...draftQuery.properties, ...nameQuery.properties });

const WRONG =
  'The configuration is wrong: `problems` has every error with its path, what was found, and what may stand there.';
const NOT_NOW =
  'Things are in another state: a commit waits for its confirmation, another revision is in force than `base` says, or the ' +
  'disk cannot be written.';
const NOTHING_WAITS = 'No commit waits for its confirmation.';
const STALE = 'The draft is another one than `If-Match` says: `detail` tells who changed it. Get it again.';
const FOREIGN = "The draft is somebody else's (`owner`), or what was sent cannot be a draft; it stays as it was.";

const committed = json(
  committedSchema,
  'It is in force: which revision it is, what changed, and what could not be set.',
);
const differs = json(differenceSchema, 'What would change, and whom that disconnects.');
const draft = json(candidateAnswerSchema, 'The draft, with stars for secrets.', ETAG);

export const getConfiguration = operation({
  id: 'getConfiguration',
  tag: 'configuration',
  summary: 'What is in force',
  description:
    'Defaults filled in, and eight stars in the place of each secret: no route but `makeBackup` gives secrets out.',
  headers: ifNoneMatchHeaders,
  answer: json(Type.Unknown(), 'The configuration.', ETAG),
  answerSchema: CONFIGURATION,
  others: NOT_MODIFIED,
});

export const commitConfiguration = operation({
  id: 'commitConfiguration',
  tag: 'configuration',
  summary: 'Put a configuration in force',
  description:
    'Whole or not at all. With `confirmWithin` it reverts by itself unless it is confirmed in time: by that nobody locks ' +
    'himself out. It is finished even if the client goes away.',
  querystring: commitNamedQuery,
  described: configurationBody('The whole configuration.'),
  answer: committed,
  errors: { 409: NOT_NOW, 413: 'It has more than 1 MiB.', 415: 'It is neither JSON nor text.', 422: WRONG },
});

export const previewConfiguration = operation({
  id: 'previewConfiguration',
  tag: 'configuration',
  summary: 'What a commit would do',
  description: 'Nothing is changed.',
  querystring: nameQuery,
  described: configurationBody('The whole configuration.'),
  answer: differs,
  errors: { 409: NOT_NOW, 413: 'It has more than 1 MiB.', 415: 'It is neither JSON nor text.', 422: WRONG },
});

export const confirmCommit = operation({
  id: 'confirmCommit',
  tag: 'configuration',
  summary: 'Keep what waits for its confirmation',
  description: 'Anybody may who still reaches the router.',
  querystring: authorQuery,
  answer: json(doneSchema, 'It stays.'),
  errors: { 409: NOTHING_WAITS },
});

export const revertCommit = operation({
  id: 'revertCommit',
  tag: 'configuration',
  summary: 'Take back what waits for its confirmation',
  description: 'The answer comes when what was in force before is in force again.',
  querystring: authorQuery,
  answer: json(doneSchema, 'It is taken back.'),
  errors: { 409: NOTHING_WAITS },
});

export const rollbackConfiguration = operation({
  id: 'rollbackConfiguration',
  tag: 'configuration',
  summary: 'Put an earlier revision in force again',
  description: 'As a new revision, with its secrets.',
  querystring: rollbackQuery,
  answer: committed,
  errors: { 409: `${NOT_NOW} Or that revision is not kept.`, 422: WRONG },
});

export const factoryReset = operation({
  id: 'factoryReset',
  tag: 'configuration',
  summary: 'Forget everything',
  description:
    'Destroys the device key, then every configuration and counter, and ends the router. It cannot be undone; a backup ' +
    'survives it.',
  querystring: authorQuery,
  answer: json(doneSchema, 'It begins.'),
  errors: { 409: 'It cannot be done now.' },
});

export const getConfigurationState = operation({
  id: 'getConfigurationState',
  tag: 'configuration',
  summary: 'Which revision is in force, and how safe that is',
  description: 'Also whether one waits for its confirmation, and for how long.',
  answer: json(configurationStateSchema, 'The state.'),
});

export const getHistory = operation({
  id: 'getHistory',
  tag: 'configuration',
  summary: 'Who put what in force when',
  description: 'The revisions that are kept, and what happened to them.',
  answer: json(historySchema, 'The history.'),
});

export const compareConfigurations = operation({
  id: 'compareConfigurations',
  tag: 'configuration',
  summary: 'What two configurations differ in',
  description: 'Two revisions, or what is in force, or the draft. Of secrets it is only said that they differ.',
  querystring: compareQuery,
  answer: differs,
  errors: { 409: 'One of the two does not exist, or cannot be read.', 422: WRONG },
});

export const getCandidate = operation({
  id: 'getCandidate',
  tag: 'candidate',
  summary: 'The draft, whoever has it',
  description:
    'Its ETag is another one after each change, and is what `If-Match` takes. Without a draft there is none.',
  headers: ifNoneMatchHeaders,
  answer: draft,
  others: NOT_MODIFIED,
  errors: { 409: 'The device key is missing, or the disk cannot be read.' },
});

export const replaceCandidate = operation({
  id: 'replaceCandidate',
  tag: 'candidate',
  summary: 'Replace the draft, or begin it',
  description: 'It need not be complete. Stars in the place of a secret mean the secret that stands there already.',
  querystring: draftNamedQuery,
  headers: ifMatchHeaders,
  described: configurationBody('The whole draft.'),
  answer: draft,
  errors: { 409: FOREIGN, 412: STALE, 413: 'It has more than 1 MiB.', 415: 'It is neither JSON nor text.' },
});

export const patchCandidate = operation({
  id: 'patchCandidate',
  tag: 'candidate',
  summary: 'Change members of the draft',
  description:
    'A JSON merge patch (RFC 7396): what it names is replaced, what it has as null is removed, lists are replaced as a ' +
    'whole. Where there is no draft it is begun with what is in force.',
  querystring: draftQuery,
  headers: ifMatchHeaders,
  described: {
    description: 'The members that change; at most 1 MiB.',
    required: true,
    content: { [MERGE_PATCH_TYPE]: { schema: { type: 'object', additionalProperties: true } } },
  },
  answer: draft,
  errors: {
    409: FOREIGN,
    412: STALE,
    413: 'The patch has more than 1 MiB.',
    415: `The patch does not come as ${MERGE_PATCH_TYPE}.`,
  },
});

export const discardCandidate = operation({
  id: 'discardCandidate',
  tag: 'candidate',
  summary: 'Throw the draft away',
  description: 'Without a draft nothing happens, unless `If-Match` says that there is one.',
  querystring: draftQuery,
  headers: ifMatchHeaders,
  answer: json(doneSchema, 'There is none any more.'),
  errors: { 409: FOREIGN, 412: STALE },
});

export const commitCandidate = operation({
  id: 'commitCandidate',
  tag: 'candidate',
  summary: 'Put the draft in force',
  description:
    'As `commitConfiguration`. The draft is gone then, unless somebody has changed it meanwhile: what is in force is the one ' +
    'of the beginning, and what was changed since stays a draft.',
  querystring: commitQuery,
  headers: ifMatchHeaders,
  answer: committed,
  errors: { 409: `${NOT_NOW} Or there is no draft.`, 412: STALE, 422: WRONG },
});

export const makeBackup = operation({
  id: 'makeBackup',
  tag: 'configuration',
  summary: 'The configuration in force with its secrets, under a passphrase',
  description: 'One JSON file. Whoever has it and the passphrase has every secret.',
  body: backupBody,
  answer: json(backupSchema, 'The file.'),
  errors: { 409: 'The passphrase is too weak, or nothing can be backed up now.' },
});

const BACKUP_TOO_LARGE = 'It has more than 16 MiB.';

export const previewRestore = operation({
  id: 'previewRestore',
  tag: 'configuration',
  summary: 'What a restore would do',
  description: 'Nothing is changed.',
  body: restoreBody,
  answer: differs,
  errors: { 409: 'The passphrase is wrong, or the file is no backup.', 413: BACKUP_TOO_LARGE, 422: WRONG },
});

export const restoreBackup = operation({
  id: 'restoreBackup',
  tag: 'configuration',
  summary: 'Put a backup in force',
  description: 'As a commit of what is in it.',
  querystring: commitQuery,
  body: restoreBody,
  answer: committed,
  errors: { 409: `The passphrase is wrong, or the file is no backup. ${NOT_NOW}`, 413: BACKUP_TOO_LARGE, 422: WRONG },
});
