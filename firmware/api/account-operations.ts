/**
 * The routes of accounts, as {@link ./account-routes.ts} and {@link ./session-routes.ts} serve them. Those about oneself are for
 * `web.sock` alone, those about a user who is named for `control.sock` alone.
 */
import {
  auditQuery,
  auditSchema,
  codeBody,
  createdTokenSchema,
  idParameters,
  loginBody,
  loginSchema,
  ownTokenBody,
  passwordBody,
  passwordOnlyBody,
  sessionsSchema,
  tokenBody,
  tokensSchema,
  totpSchema,
  userParameters,
  whoSchema,
} from './account-schemas.ts';
import { authorQuery } from './configuration-schemas.ts';
import { json, operation } from './operation.ts';
import { doneSchema } from './schemas.ts';

const DONE = 'It is done.';
const TOO_EARLY = 'Too early after attempts that failed: `retryAfterSeconds` says for how long.';
const WRONG_PASSWORD = 'The password is another one, or something else is in the way.';
const LOCAL = 'Over `control.sock` alone.';
const WEB = 'Over `web.sock` alone, by a session and no API token.';

export const logIn = operation({
  id: 'logIn',
  tag: 'accounts',
  summary: 'Log in',
  description: 'Over `web.sock` alone, and the only request there that needs no token.',
  body: loginBody,
  answer: json(loginSchema, 'The session. Its token is a secret, and is answered this once.'),
  errors: {
    401: 'Refused, in the same words whether there is such a user or not; with `needs`, a code is asked for.',
    429: TOO_EARLY,
  },
});

export const getOwnSession = operation({
  id: 'getOwnSession',
  tag: 'accounts',
  summary: 'Who sends this request, and as what',
  description: 'Over `web.sock` alone.',
  answer: json(whoSchema, 'The user.'),
});

export const logOut = operation({
  id: 'logOut',
  tag: 'accounts',
  summary: 'Log out',
  description: `${WEB} Its streams end with it.`,
  answer: json(doneSchema, DONE),
});

export const changeOwnPassword = operation({
  id: 'changeOwnPassword',
  tag: 'accounts',
  summary: 'Change the own password',
  description: `${WEB} All other sessions and tokens of the user end.`,
  body: passwordBody,
  answer: json(doneSchema, DONE),
  errors: { 409: 'The new one is too weak, or the current one is another.' },
});

export const beginOwnTotp = operation({
  id: 'beginOwnTotp',
  tag: 'accounts',
  summary: 'Begin a second factor',
  description: `${WEB} It is in force once a code of it has been confirmed.`,
  body: passwordOnlyBody,
  answer: json(totpSchema, 'The secret, for an authenticator app.'),
  errors: { 409: WRONG_PASSWORD, 429: TOO_EARLY },
});

export const confirmOwnTotp = operation({
  id: 'confirmOwnTotp',
  tag: 'accounts',
  summary: 'Confirm the second factor that was begun',
  description: `${WEB} A code is asked for with each login from now on.`,
  body: codeBody,
  answer: json(doneSchema, DONE),
  errors: { 409: 'The code is another one, or none was begun.', 429: TOO_EARLY },
});

export const endOwnTotp = operation({
  id: 'endOwnTotp',
  tag: 'accounts',
  summary: 'Take the own second factor away',
  description: WEB,
  body: passwordOnlyBody,
  answer: json(doneSchema, DONE),
  errors: { 409: WRONG_PASSWORD, 429: TOO_EARLY },
});

export const createOwnToken = operation({
  id: 'createOwnToken',
  tag: 'accounts',
  summary: 'Make an API token for oneself',
  description: `${WEB} It has at most the role of its user.`,
  body: ownTokenBody,
  answer: json(createdTokenSchema, 'The token. It is a secret, and is answered this once.'),
  errors: { 409: `${WRONG_PASSWORD} \`detail\` says what.`, 429: TOO_EARLY },
});

export const listTokens = operation({
  id: 'listTokens',
  tag: 'accounts',
  summary: 'API tokens',
  description: 'Of whoever asks; all of them for an administrator.',
  answer: json(tokensSchema, 'The tokens, without what is secret.'),
});

export const revokeToken = operation({
  id: 'revokeToken',
  tag: 'accounts',
  summary: 'Revoke an API token',
  description: 'One of whoever asks; any of them for an administrator.',
  params: idParameters,
  answer: json(doneSchema, DONE),
  errors: { 404: 'There is no such token.' },
});

export const createUserToken = operation({
  id: 'createUserToken',
  tag: 'accounts',
  summary: 'Make an API token for a user',
  description: `${LOCAL} It has at most the role of its user.`,
  params: userParameters,
  body: tokenBody,
  answer: json(createdTokenSchema, 'The token. It is a secret, and is answered this once.'),
  errors: { 409: 'There is no such user, he has a token of that name, or the role is more than his.' },
});

export const beginUserTotp = operation({
  id: 'beginUserTotp',
  tag: 'accounts',
  summary: 'Begin a second factor for a user',
  description: `${LOCAL} For whoever stands there with the authenticator app.`,
  params: userParameters,
  answer: json(totpSchema, 'The secret, for an authenticator app.'),
  errors: { 409: 'There is no such user.' },
});

export const confirmUserTotp = operation({
  id: 'confirmUserTotp',
  tag: 'accounts',
  summary: 'Confirm the second factor of a user',
  description: `${LOCAL} A code is asked for with each login from now on.`,
  params: userParameters,
  querystring: authorQuery,
  body: codeBody,
  answer: json(doneSchema, DONE),
  errors: { 409: 'The code is another one, or none was begun.', 429: TOO_EARLY },
});

export const listSessions = operation({
  id: 'listSessions',
  tag: 'accounts',
  summary: 'Who is logged in',
  description: 'By the console and by `web.sock`.',
  answer: json(sessionsSchema, 'The sessions, without what is secret.'),
});

export const endSession = operation({
  id: 'endSession',
  tag: 'accounts',
  summary: 'End a session',
  description: 'Its streams end with it.',
  params: idParameters,
  answer: json(doneSchema, DONE),
  errors: { 404: 'There is no such session.' },
});

export const getAudit = operation({
  id: 'getAudit',
  tag: 'accounts',
  summary: 'Who changed what, and who came in or was refused',
  description: 'The newest first. What was asked for stands there without bodies and secrets.',
  querystring: auditQuery,
  answer: json(auditSchema, 'The entries.'),
});
