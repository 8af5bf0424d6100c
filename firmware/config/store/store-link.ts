/** The messages between the control thread and the store's. */
import type { Configuration } from '../schema.ts';
import type { StoreMethodName } from './store-methods.ts';

export interface StoreWorkerData {
  readonly stateDirectory: string;
  readonly keyDirectory: string;
  /** Wall clock at the start, ms since 1970. */
  readonly at: number;
  readonly factory: Configuration;
}

export interface StoreQuestion {
  readonly id: number;
  readonly method: StoreMethodName;
  readonly parameters: readonly unknown[];
}

/** Where a store's questions go; the other end answers, or says once that there is nobody any more. */
export type StartStore = (
  data: StoreWorkerData,
  answered: (answer: StoreAnswer) => void,
  gone: (why: string) => void,
) => (question: StoreQuestion) => void;

export type StoreAnswer =
  | { readonly id: number; readonly result: unknown }
  /** What was thrown, in words: a fault of the program, or no store can be had. */
  | { readonly id: number; readonly error: string };
