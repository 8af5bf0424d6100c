/** Conditional requests (RFC 9110 section 13): whoever changes a draft says which one he saw, and who reads again, what he has. */
import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { CandidateMatch } from '../config/store/store-types.ts';
import { sendProblem } from './problem.ts';

/** Longest header of entity tags that is read, characters: some dozens of ours, of which a client has one or two. */
const MAX_TAGS = 1024;

export const ifMatchHeaders = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      maxLength: MAX_TAGS,
      description:
        'The ETag of the draft that is to be changed, or `*` for any: 412 when it is another one by now. Without it ' +
        'whatever is there is changed.',
    }),
  ),
});

export const ifNoneMatchHeaders = Type.Object({
  'if-none-match': Type.Optional(
    Type.String({ maxLength: MAX_TAGS, description: 'The ETag of what the client has: 304 when that is current.' }),
  ),
});

export interface IfMatch {
  'if-match'?: string;
}

/** Entity tags of a header, weak ones among them; `undefined` when it is none of them. */
const LIST = /^(?:\s*(?:W\/)?"[\x21\x23-\x7e]*"\s*(?:,|$))+$/;
const TAG = /(?:W\/)?"[\x21\x23-\x7e]*"/g;

/**
 * What the client expects to find; `undefined` without the header. Weak tags never fit (section 13.1.1).
 * @returns 'malformed' when it is neither `*` nor a list of entity tags.
 */
export function expectedDraft(headers: IfMatch): CandidateMatch | undefined | 'malformed' {
  const text = headers['if-match']?.trim();
  if (text === undefined || text === '*') return text;
  if (!LIST.test(text)) return 'malformed';
  return (text.match(TAG) ?? []).filter((tag) => !tag.startsWith('W/'));
}

export function sendMalformedTags(reply: FastifyReply): FastifyReply {
  return sendProblem(reply, {
    status: 400,
    detail: 'the header If-Match is neither * nor a list of entity tags',
    remedy: 'send the ETag as it came, quotes included',
  });
}

/** Names the version of what is answered. @returns whether the client has it already: then 304 is all it needs. */
export function isCurrent(request: FastifyRequest, reply: FastifyReply, etag: string): boolean {
  reply.header('etag', etag).header('cache-control', 'no-cache');
  const text = request.headers['if-none-match']?.trim() ?? '';
  return text === '*' || (text.match(TAG) ?? []).some((tag) => tag.replace(/^W\//, '') === etag);
}

/** Of a text without secrets. */
export function etagOfText(text: string): string {
  return `"${hash('sha256', text, 'base64url').slice(0, 22)}"`;
}
