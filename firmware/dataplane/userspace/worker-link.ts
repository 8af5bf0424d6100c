/**
 * What the worker thread and the control thread agree upon: how the worker is started, what the shared memory means.
 */
import type { MessagePort } from 'node:worker_threads';
import type { EngineMessage } from './engine-messages.ts';

/** What the worker is started with. */
export interface WorkerStart {
  /** Commands come in here, {@link WorkerMessage}s go out. */
  readonly port: MessagePort;
  /** {@link SHARED_CELLS} 32-bit cells that both threads see at once, without a message. */
  readonly shared: SharedArrayBuffer;
}

/** Number of 32-bit cells. */
export const SHARED_CELLS = 3;
/** Cell: events that the control thread has dealt with, modulo 2^32. Saves a message per event and a wake-up each. */
export const ACKNOWLEDGED = 0;
/** Cell: what is wanted of the worker, one of the three values below. */
export const WANTED = 1;
/**
 * Cell: the handle by which the worker's poller is woken, {@link NO_HANDLE} before there is one. The worker stores it
 * before it looks at {@link WANTED} for the first time, so whoever sets WANTED and finds no handle need not wake
 * anybody.
 */
export const WAKE_HANDLE = 2;
export const NO_HANDLE = -1;

/** Carry on. */
export const RUN = 0;
/** Carry out the commands that are there, then close everything but the poller. */
export const STOP = 1;
/**
 * The control thread will never wake the poller again, so it may be closed. Without this step a wake-up could be
 * written to a descriptor that was closed the moment before and belongs to another file by now.
 */
export const LET_GO = 2;

export type WorkerMessage =
  /** The first: commands are taken. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'batch'; readonly messages: readonly EngineMessage[] }
  /** The last, when something went wrong that cannot be mended. */
  | { readonly kind: 'failed'; readonly reason: string };
