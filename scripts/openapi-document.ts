/** The control API as one OpenAPI 3.1 document, made of its routes and their TypeBox schemas. */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { API_COMPONENTS } from '../firmware/api/components.ts';
import { PROBLEM_TYPE } from '../firmware/api/media-types.ts';
import { OPENAPI_INFO } from '../firmware/api/openapi-info.ts';
import { ANSWER_SCHEMA, DESCRIBED_BODY, DESCRIBED_ERRORS, TAGS } from '../firmware/api/operation.ts';
import { installRoutes } from '../firmware/api/routes.ts';
import { apiApp } from '../firmware/api/server.ts';
import { VERSION } from '../firmware/cli/version.ts';
import { configurationComponents } from '../firmware/config/derived/openapi.ts';
import { createLogger } from '../firmware/log/logger.ts';

/** Relative to the checkout. */
export const OPENAPI_PATH = 'docs/openapi.json';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** The routes are described, not asked: what they would ask is not there. */
const NOTHING: never = new Proxy({}, { get: () => () => () => undefined }) as never;

export async function openApiText(): Promise<string> {
  return `${JSON.stringify(await openApiDocument(), undefined, 1)}\n`;
}

export async function openApiDocument(): Promise<JsonObject> {
  const logger = createLogger({ level: 'silent', secrets: () => [] });
  let described: FastifyInstance | undefined;
  const app = await apiApp(logger, async (bare) => {
    await bare.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        ...OPENAPI_INFO,
        info: { ...OPENAPI_INFO.info, version: VERSION },
        tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
        components: { schemas: API_COMPONENTS },
      },
      convertConstToEnum: false,
    });
    installRoutes(bare, NOTHING, NOTHING);
    described = bare;
  });
  try {
    return withReferences(structuredClone(described?.swagger() ?? {}) as unknown as JsonObject);
  } finally {
    await app.close();
  }
}

/** Schemas that have a name stand in one place, and a reference wherever they are used. */
function withReferences(document: JsonObject): JsonObject {
  const { components, paths, ...rest } = document;
  const schemas = member(member(components, 'schemas'), '') as JsonObject;
  const names = new Map(Object.entries(schemas).map(([name, schema]) => [JSON.stringify(schema), name]));
  const named = Object.entries(schemas).map(([name, schema]) => [name, within(schema, names)]);
  const configuration = configurationComponents().schemas as unknown as JsonObject;
  return {
    ...rest,
    paths: Object.fromEntries(Object.entries(paths as JsonObject).map(([path, item]) => [path, pathItem(item, names)])),
    components: { ...(components as JsonObject), schemas: { ...Object.fromEntries(named), ...configuration } },
  };
}

function member(value: Json | undefined, key: string): Json {
  if (key === '') return value ?? {};
  return (value as JsonObject | undefined)?.[key] ?? {};
}

function pathItem(item: Json, names: ReadonlyMap<string, string>): Json {
  const methods = Object.entries(item as JsonObject).map(([method, operation]) => [
    method,
    withDescribed(referred(operation, names) as JsonObject),
  ]);
  return Object.fromEntries(methods);
}

/** What is for the document alone comes where it belongs. */
function withDescribed(operation: JsonObject): JsonObject {
  const { responses, [DESCRIBED_BODY]: body, [ANSWER_SCHEMA]: schema, [DESCRIBED_ERRORS]: errors, ...rest } = operation;
  const answers = responses as JsonObject;
  const described = {
    ...answers,
    ...(schema !== undefined && { 200: withSchema(answers['200'] as JsonObject, schema) }),
    ...Object.fromEntries(Object.entries(errors as JsonObject).map(([status, why]) => [status, problem(why)])),
  };
  return { ...rest, ...(body !== undefined && { requestBody: body }), responses: described };
}

function problem(description: Json): Json {
  return { description, content: { [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } } };
}

function withSchema(answer: JsonObject, schema: Json): JsonObject {
  const types = Object.keys(answer['content'] as JsonObject).map((type) => [type, { schema }]);
  return { ...answer, content: Object.fromEntries(types) };
}

function referred(value: Json, names: ReadonlyMap<string, string>): Json {
  const name = typeof value === 'object' ? names.get(JSON.stringify(value)) : undefined;
  return name === undefined ? within(value, names) : { $ref: `#/components/schemas/${name}` };
}

function within(value: Json, names: ReadonlyMap<string, string>): Json {
  if (Array.isArray(value)) return value.map((item: Json) => referred(item, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, referred(inner, names)]));
}
