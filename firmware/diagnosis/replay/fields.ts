/** Reading the fields of a decoded message, which are JSON. */
import type { DecodedMessage, Fields, FieldValue, MessageEnd } from '../decode/decoded.ts';

/** Which end of a tunnel speaks: who asked for the tunnel, or who was asked. */
export type Speaker = 'client' | 'server';

export function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  return typeof value === 'string' ? value : '';
}

export function numberOf(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  return typeof value === 'number' ? value : undefined;
}

/** The objects of a list; none where there is no list. */
export function listOf(fields: Fields, name: string): readonly Fields[] {
  const value = fields[name];
  return Array.isArray(value) ? value.filter(isFields) : [];
}

export function isFields(value: FieldValue | undefined): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of an AVP or of an option by its name. */
export function namedValue(list: readonly Fields[], name: string): FieldValue | undefined {
  return list.find((entry) => entry['name'] === name)?.['value'];
}

/** `10.0.0.1`, both ways the same. */
export function pairOf({ source, destination }: DecodedMessage): string {
  return [source.address, destination.address].sort().join(' ');
}

export function isFrom({ source }: DecodedMessage, end: MessageEnd): boolean {
  return source.address === end.address;
}

/** Whole seconds, at least one. */
export function secondsBetween(first: number, last: number): number {
  return Math.max(1, Math.round((last - first) / 1000));
}
