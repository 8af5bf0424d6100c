/** Small parts of which the schemas of the control API are made, and the types that follow from them. */
import { type Static, type TSchema, Type } from 'typebox';

export const text = (description: string) => Type.String({ description });
export const count = (description: string) => Type.Integer({ minimum: 0, description });

/** A value that only its maker changes. */
type Immutable<T> = T extends readonly (infer Item)[]
  ? readonly Immutable<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: Immutable<T[Key]> }
    : T;

/** The type of a body that has this schema. */
export type Body<Schema extends TSchema> = Immutable<Static<Schema>>;
