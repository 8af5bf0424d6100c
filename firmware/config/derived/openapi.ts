/** The configuration as OpenAPI 3.1 describes it (its schemas are JSON Schema 2020-12). */
import { TEXT_FORMATS } from '../formats.ts';
import { CONFIGURATION_SCHEMA } from '../schema.ts';
import { type SchemaEntry, schemaEntries } from '../schema-entries.ts';
import { schemaNode } from '../schema-node.ts';

/** JSON Schema, as far as the configuration uses it. */
export type OpenApiSchema = Readonly<Record<string, unknown>>;

export interface OpenApiComponents {
  readonly schemas: Readonly<Record<string, OpenApiSchema>>;
}

/** Our formats that JSON Schema has under another name (2020-12 validation, section 7.3.4). */
const STANDARD_FORMATS: ReadonlyMap<string, string> = new Map([
  ['ipv4-address', 'ipv4'],
  ['ipv6-address', 'ipv6'],
]);

/** What goes over as it is; the rest is ours, or TypeBox's. */
const KEYWORDS = [
  ...['type', 'title', 'description', 'default', 'enum', 'const', 'minimum', 'maximum', 'pattern'],
  ...['minItems', 'maxItems', 'uniqueItems', 'maxProperties', 'x-unit', 'x-priority', 'x-refers-to', 'x-restarts'],
] as const;

/**
 * One schema called `Configuration`, and one for every object in it, called by its path: `L2tpClientsEntry`, `RoutesItem`.
 * They describe what is written: what has a default is not required. Secrets are `writeOnly`: no answer has one.
 */
export function configurationComponents(): OpenApiComponents {
  const schemas: Record<string, OpenApiSchema> = {};
  collect(schemaEntries(schemaNode(CONFIGURATION_SCHEMA)), 'Configuration', schemas);
  return { schemas };
}

/** Puts the object into the collection and gives back what stands where it is used. */
function collect(entry: SchemaEntry, name: string, schemas: Record<string, OpenApiSchema>): OpenApiSchema {
  const { kind, node, members } = entry;
  if (kind === 'value') return valueSchema(entry);
  const { default: standard, ...words } = common(entry);
  // Beside a reference other keywords are allowed since OpenAPI 3.1.
  const without = standard === undefined ? {} : { default: standard };
  const place = name === 'Configuration' ? '' : name;
  const [inner] = members;
  if (kind === 'record') {
    const patterns = Object.keys(node.patternProperties ?? {});
    const reference = inner === undefined ? {} : collect(inner, `${place}Entry`, schemas);
    const patternProperties = Object.fromEntries(patterns.map((pattern) => [pattern, reference]));
    return { ...words, ...without, patternProperties, additionalProperties: false };
  }
  if (kind === 'objects') {
    return { ...words, ...without, items: inner === undefined ? {} : collect(inner, `${place}Item`, schemas) };
  }
  // Its place in the collection is before those of what is in it.
  schemas[name] = {};
  const properties = members.map((member) => [
    member.key,
    collect(member, `${place}${upperFirst(member.key)}`, schemas),
  ]);
  const required = members.filter((member) => member.required).map(({ key }) => key);
  schemas[name] = {
    ...words,
    properties: Object.fromEntries(properties),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  };
  return { $ref: `#/components/schemas/${name}`, ...without };
}

function valueSchema(entry: SchemaEntry): OpenApiSchema {
  const { node } = entry;
  const { format = '' } = node;
  const allowed = node['x-allowed'] ?? TEXT_FORMATS[format]?.allowed;
  const ours = (member: NonNullable<typeof node.items>) => valueSchema({ ...entry, node: member });
  return {
    ...common(entry),
    ...(format === '' ? {} : { format: STANDARD_FORMATS.get(format) ?? format }),
    ...(allowed === undefined ? {} : { 'x-allowed': allowed }),
    ...(node['x-secret'] === true ? { format: 'password', writeOnly: true } : {}),
    ...(node.items === undefined ? {} : { items: ours(node.items) }),
    ...(node.anyOf === undefined ? {} : { anyOf: node.anyOf.map(ours) }),
  };
}

function common({ node }: SchemaEntry): OpenApiSchema {
  return Object.fromEntries(
    KEYWORDS.flatMap((keyword) => (node[keyword] === undefined ? [] : [[keyword, node[keyword]]])),
  );
}

function upperFirst(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
