/** How the bodies of requests are read. */
import type { FastifyInstance } from 'fastify';
import { JSON_TYPE, MERGE_PATCH_TYPE } from './media-types.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true });

/** Text as it came: the parser of the configuration decides what is JSON and what is YAML, and says where an error stands. */
export function takeText(app: FastifyInstance): void {
  parseWith(app, ['text/plain', JSON_TYPE], (body) => utf8(body));
}

/** The same for a patch of a configuration. */
export function takePatches(app: FastifyInstance): void {
  parseWith(app, [MERGE_PATCH_TYPE], (body) => utf8(body));
}

/** JSON with members of this API. What is wrong with it is said without quoting it: a passphrase may stand there. */
export function takeObjects(app: FastifyInstance): void {
  parseWith(app, [JSON_TYPE], (body) => {
    const text = utf8(body);
    try {
      return JSON.parse(text);
    } catch {
      throw refusal('the body is no JSON');
    }
  });
}

function parseWith(app: FastifyInstance, types: string[], parse: (body: Buffer) => unknown): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>(types, { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
    parse(body),
  );
}

function utf8(body: Buffer): string {
  try {
    return UTF8.decode(body);
  } catch {
    throw refusal('the body is not UTF-8 text');
  }
}

function refusal(reason: string): Error {
  return Object.assign(new Error(reason), { statusCode: 400 });
}
