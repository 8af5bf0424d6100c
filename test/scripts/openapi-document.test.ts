import { readdirSync, readFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { API_COMPONENTS } from '../../firmware/api/components.ts';
import { installRoutes } from '../../firmware/api/routes.ts';
import { apiApp } from '../../firmware/api/server.ts';
import { createLogger } from '../../firmware/log/logger.ts';
import { OPENAPI_PATH, openApiDocument, openApiText } from '../../scripts/openapi-document.ts';
import { FakeConfiguration } from '../firmware/api/fake-configuration.ts';
import { FakeRouter } from '../firmware/api/fake-router.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly schema: Readonly<Record<string, unknown>>;
}

interface Answer {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: unknown }>>;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<Record<string, Answer>>;
}

/** Each operation by method and path as the document writes it. */
const operations = new Map<string, Operation>();
/** Each route of the app, likewise. */
const routes: string[] = [];
let text: string;
let document: Record<string, unknown>;

beforeAll(async () => {
  text = await openApiText();
  document = JSON.parse(text);
  for (const [path, item] of Object.entries(document['paths'] as Record<string, Record<string, Operation>>)) {
    for (const [method, operation] of Object.entries(item))
      operations.set(`${method.toUpperCase()} ${path}`, operation);
  }
  const logger = createLogger({ level: 'silent', secrets: () => [] });
  const app = await apiApp(logger, (bare) => {
    bare.addHook('onRoute', ({ method, url }) => {
      for (const one of [method].flat()) routes.push(`${one} ${url.replaceAll(/:(\w+)/g, '{$1}')}`);
    });
    installRoutes(bare, new FakeRouter(), new FakeConfiguration());
  });
  await app.close();
});

/** Every object of the document, with where it stands. */
function* objects(value: unknown, path = ''): Generator<[string, Readonly<Record<string, unknown>>]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [path, value as Record<string, unknown>];
  for (const [key, member] of Object.entries(value)) yield* objects(member, `${path}/${key}`);
}

describe('docs/openapi.json', () => {
  it('is current in the checkout', () => {
    const stored = readFileSync(new URL(`../../${OPENAPI_PATH}`, import.meta.url), 'utf8');
    expect(stored === text, `${OPENAPI_PATH} is not what the routes say: run scripts/docs and commit it`).toBe(true);
  });

  it('is the same each time it is made', async () => {
    expect(await openApiText()).toBe(text);
  });

  it('is OpenAPI 3.1', async () => {
    const validator = new Validator();
    const { valid, errors } = await validator.validate(structuredClone(document));
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(validator.version).toBe('3.1');
  });

  it('has schemas that a validator of JSON Schema 2020-12 compiles, references included', () => {
    const { schemas } = document['components'] as { schemas: Record<string, object> };
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema(
      { ...document, $id: 'https://culvert.example/openapi.json' } as object,
      'https://culvert.example/openapi.json',
    );
    for (const name of Object.keys(schemas)) {
      expect(
        () => ajv.compile({ $ref: `https://culvert.example/openapi.json#/components/schemas/${name}` }),
        name,
      ).not.toThrow();
    }
    const problem = ajv.compile({ $ref: 'https://culvert.example/openapi.json#/components/schemas/Problem' });
    expect(problem({ type: 'about:blank', title: 'Conflict', status: 409, detail: 'x' })).toBe(true);
    expect(problem({ type: 'about:blank', title: 'Conflict', status: 200, detail: 'x' })).toBe(false);
    const configuration = ajv.compile({
      $ref: 'https://culvert.example/openapi.json#/components/schemas/Configuration',
    });
    expect(configuration({ system: { hostname: 'branch' } })).toBe(true);
    expect(configuration({ systm: {} })).toBe(false);
  });

  it('has every route of the control API, and no other', () => {
    expect(routes.length).toBeGreaterThan(30);
    expect([...operations.keys()].sort()).toEqual([...routes].sort());
  });

  it('has every address that stands in a source of routes', () => {
    const folder = new URL('../../firmware/api/', import.meta.url);
    const sources = readdirSync(folder).filter((name) => /routes\.ts$/.test(name));
    expect(sources.length).toBeGreaterThan(1);
    for (const name of sources) {
      const found = readFileSync(new URL(name, folder), 'utf8').matchAll(/'(\/v1\/[^']+)'/g);
      for (const [, address = ''] of found)
        expect(document, `${address} of ${name}`).toHaveProperty(['paths', address.replaceAll(/:(\w+)/g, '{$1}')]);
    }
  });

  it('has a name of its own, words and a group for each route', () => {
    const tags = new Set((document['tags'] as { name: string }[]).map(({ name }) => name));
    const ids = new Set<string>();
    for (const [route, { operationId, summary, description, tags: own }] of operations) {
      expect(operationId, route).toMatch(/^[a-z][A-Za-z]+$/);
      expect(ids.has(operationId), operationId).toBe(false);
      ids.add(operationId);
      expect(summary.length, route).toBeGreaterThan(5);
      expect(description, route).toMatch(/[.)]$/);
      expect(own.every((tag) => tags.has(tag)) && own.length === 1, route).toBe(true);
    }
  });

  it('describes and bounds every parameter', () => {
    for (const [route, { parameters = [] }] of operations) {
      const path = [...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(
        parameters.filter((one) => one.in === 'path').map(({ name }) => name),
        route,
      ).toEqual(path);
      for (const { name, description, schema } of parameters) {
        expect(description, `${route} ${name}`).toMatch(/\.$/);
        const bounded = ['maxLength', 'maximum', 'enum', 'pattern'].some((keyword) => keyword in schema);
        expect(bounded || schema['type'] === 'boolean' || name === 'id', `${route} ${name}`).toBe(true);
      }
    }
  });

  it('says of each route what it answers, and problems with a remedy for what it refuses', () => {
    for (const [route, { parameters = [], requestBody, responses }] of operations) {
      expect(Object.keys(responses), route).toEqual(expect.arrayContaining(['200', '4XX', '5XX']));
      if (parameters.length > 0 || requestBody !== undefined) expect(responses, route).toHaveProperty('400');
      if (parameters.some(({ name }) => name === 'if-match')) expect(responses, route).toHaveProperty('412');
      for (const [status, { description, content }] of Object.entries(responses)) {
        expect(description, `${route} ${status}`).toMatch(/[.)]$/);
        if (!/^[45]/.test(status)) continue;
        const reference = { schema: { $ref: '#/components/schemas/Problem' } };
        expect(content, `${route} ${status}`).toEqual({ 'application/problem+json': reference });
      }
    }
    expect(API_COMPONENTS['Problem']).toHaveProperty(['properties', 'remedy']);
  });

  it('describes the streams as what they are', () => {
    expect(operations.get('GET /v1/events')?.responses['200']?.content).toHaveProperty(['text/event-stream']);
    expect(operations.get('POST /v1/capture/{name}')?.responses['200']?.content).toHaveProperty([
      'application/x-pcapng',
    ]);
  });

  it('says who may ask', () => {
    expect((document['info'] as { description: string }).description).toMatch(/\*\*Security\.\*\*.*0600/s);
    expect(operations.get('POST /v1/ipsec/keys')?.description).toContain('reads the traffic');
  });

  it('has references that lead somewhere, and nothing that is for its maker alone', () => {
    for (const [path, object] of objects(document)) {
      expect(
        Object.keys(object).filter((key) => /^x-(described|answer)/.test(key)),
        path,
      ).toEqual([]);
      if (typeof object['$ref'] !== 'string') continue;
      const name = object['$ref'].replace('#/components/schemas/', '');
      expect(document, path).toHaveProperty(['components', 'schemas', name]);
    }
  });

  it('is made from the routes alone: what they would ask is not asked', async () => {
    await expect(openApiDocument()).resolves.toMatchObject({ openapi: '3.1.0' });
  });
});
