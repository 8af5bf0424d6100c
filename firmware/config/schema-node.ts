/**
 * The schema as those read it who walk it: the part of JSON Schema that the configuration uses, plus some keywords of
 * our own. Validation, defaults, redaction, diffs, help texts and forms are all derived by walking these nodes.
 */
import type { TSchema } from 'typebox';

export type Priority = 'basic' | 'advanced';

/** What a value can name: an IPsec connection, a certificate, or the device of an interface. */
export type Reference =
  | 'ipsec.connections'
  | 'ipsec.certificates'
  | 'interfaces.NAME'
  | 'interfaces.NAME.device'
  | 'modems.NAME'
  | 'uplinks.NAME';

export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly patternProperties?: Readonly<Record<string, SchemaNode>>;
  readonly maxProperties?: number;
  readonly items?: SchemaNode;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly enum?: readonly string[];
  readonly const?: string | number;
  readonly anyOf?: readonly SchemaNode[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly format?: string;
  /** `true`: the value is never printed. */
  readonly 'x-secret'?: boolean;
  /** What a number counts. */
  readonly 'x-unit'?: string;
  /** A pattern in words. */
  readonly 'x-allowed'?: string;
  /** `basic`: a first set-up needs it. What says nothing is `advanced`. */
  readonly 'x-priority'?: Priority;
  /** The value names something else of the configuration. */
  readonly 'x-refers-to'?: Reference;
  /** What is interrupted when something in here changes, one sentence; what lies deeper and says nothing does the same. */
  readonly 'x-restarts'?: string;
}

/** A TypeBox schema as a node to walk. */
export function schemaNode(schema: TSchema): SchemaNode {
  return schema;
}

/** The pattern of the keys and the schema of the values, where the node is an object with free keys. */
export function recordOf(node: SchemaNode): { readonly pattern: string; readonly value: SchemaNode } | undefined {
  const entry = Object.entries(node.patternProperties ?? {})[0];
  return entry === undefined ? undefined : { pattern: entry[0], value: entry[1] };
}

/** Whether `value` is an object in JSON's sense. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
