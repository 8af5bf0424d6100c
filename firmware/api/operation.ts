/** How a route of the control API is described: Fastify checks and serialises by it, and OpenAPI is made of it. */
import type { TSchema } from 'typebox';
import { JSON_TYPE, PROBLEM_TYPE } from './media-types.ts';
import { problemSchema } from './schemas.ts';

/** Groups of routes, in the order of the document. */
export const TAGS = {
  status: 'What the router does at the moment, and what passed.',
  connections: 'Connecting, disconnecting, and why a connection does not work.',
  configuration: 'What is in force: commit, confirmation, history, backup.',
  candidate: 'The draft that somebody works on; there is one at a time.',
  observation: 'Log, events and captures as they happen, and whether hosts answer.',
  machine: 'The end of the firmware or of the machine.',
  accounts: 'Users, their sessions and API tokens, and the audit log.',
  contract: 'This document.',
} as const;

export type Tag = keyof typeof TAGS;

/** What a header of an answer says, by name. */
type Headers = Readonly<Record<string, { readonly type: 'string' | 'integer'; readonly description: string }>>;

/** One kind of answer. */
export interface AnswerAbout {
  readonly description: string;
  /** By media type. Absent: the answer has no body, or one that is hijacked. */
  readonly content?: Readonly<Record<string, { readonly schema: TSchema }>>;
  readonly headers?: Headers;
}

/** Of what has a version. */
export const ETAG = { etag: { type: 'string', description: 'Entity tag of what is answered.' } } as const;

/** What a route with `If-None-Match` may answer as well. */
export const NOT_MODIFIED = {
  304: { description: 'The client has it already; the answer has no body.', headers: ETAG },
};

export interface OperationAbout {
  /** Unique; what a generated client calls it. */
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  /** Whoever gets something that others must not have is told so here. */
  readonly description: string;
  readonly params?: TSchema;
  readonly querystring?: TSchema;
  readonly headers?: TSchema;
  /** Checked by Fastify. */
  readonly body?: TSchema;
  /** For the document alone, an OpenAPI Request Body Object: what the route reads as text. */
  readonly described?: DescribedBody;
  readonly answer: AnswerAbout;
  /** For the document alone: the schema of {@link answer}, where it is text that is ready to send. */
  readonly answerSchema?: object;
  /** Why it may be refused, by status. */
  readonly errors?: Readonly<Record<number, string>>;
  /** Answers without a body that are neither, such as 304. */
  readonly others?: Readonly<Record<number, AnswerAbout>>;
}

export interface DescribedBody {
  readonly description: string;
  readonly required: true;
  readonly content: Readonly<Record<string, { readonly schema: object }>>;
}

/** Members of an operation that are for the document alone; what makes that takes them away. */
export const DESCRIBED_BODY = 'x-described-body';
export const ANSWER_SCHEMA = 'x-answer-schema';
/** Why by status. All have one schema, which Fastify would compile for each of them. */
export const DESCRIBED_ERRORS = 'x-described-errors';

/** A JSON body. */
export function json(schema: TSchema, description: string, headers?: Headers): AnswerAbout {
  return { description, content: { [JSON_TYPE]: { schema } }, ...(headers !== undefined && { headers }) };
}

function problem(description: string): AnswerAbout {
  return { description, content: { [PROBLEM_TYPE]: { schema: problemSchema } } };
}

/** No body at all. */
function empty(answer: AnswerAbout): AnswerAbout & { readonly type: 'null' } {
  return { ...answer, type: 'null' };
}

/** What any route may answer instead. */
const UNEXPECTED = {
  '4xx': problem('Another fault of the request: 413 when it is too large, 415 when the body is of another type.'),
  '5xx': problem('The router failed, or has no room for one more; 500 has its cause in the log.'),
} as const;

const MALFORMED = 'A parameter, a header or the body is missing, malformed or out of bounds; `detail` names it.';

/** The Fastify schema of a route. */
export function operation(about: OperationAbout) {
  const { id, tag, summary, description, params, querystring, headers, body, described, answer, answerSchema } = about;
  const refusals = { ...(takesAnything(about) && { 400: MALFORMED }), ...about.errors };
  return {
    operationId: id,
    tags: [tag],
    summary,
    description,
    ...(params !== undefined && { params }),
    ...(querystring !== undefined && { querystring }),
    ...(headers !== undefined && { headers }),
    ...(body !== undefined && { body }),
    ...(described !== undefined && { [DESCRIBED_BODY]: described }),
    ...(answerSchema !== undefined && { [ANSWER_SCHEMA]: answerSchema }),
    [DESCRIBED_ERRORS]: refusals,
    response: {
      200: answer,
      ...Object.fromEntries(Object.entries(about.others ?? {}).map(([status, other]) => [status, empty(other)])),
      ...UNEXPECTED,
    },
  };
}

function takesAnything({ params, querystring, headers, body, described }: OperationAbout): boolean {
  return [params, querystring, headers, body, described].some((part) => part !== undefined);
}
