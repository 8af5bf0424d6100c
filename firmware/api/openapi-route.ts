/** `GET /v1/openapi.json`: the document of this version, which `scripts/docs` makes of the routes. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { etagOfText, isCurrent } from './entity-tags.ts';
import { JSON_TYPE } from './media-types.ts';

interface Document {
  readonly text: string;
  readonly etag: string;
}

let loaded: Promise<Document> | undefined;

/** Loaded when somebody asks for the first time: nobody does on most routers. */
async function load(): Promise<Document> {
  const { default: document } = await import('../../docs/openapi.json', { with: { type: 'json' } });
  const text = JSON.stringify(document);
  return { text, etag: etagOfText(text) };
}

export async function serveOpenApi(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  loaded ??= load();
  const { text, etag } = await loaded;
  if (isCurrent(request, reply, etag)) return reply.code(304).send();
  return reply.type(JSON_TYPE).send(text);
}
