/** The messages between the control thread and one that makes or reads a backup. */
import type { BackupContent, ReadBackup } from './backup-file.ts';

export type BackupQuestion =
  | { readonly kind: 'write'; readonly content: BackupContent; readonly passphrase: string }
  | { readonly kind: 'read'; readonly text: string; readonly passphrase: string };

export type BackupAnswer =
  | { readonly kind: 'written'; readonly text: string }
  | { readonly kind: 'read'; readonly result: ReadBackup }
  /** What was thrown, in words. */
  | { readonly kind: 'failed'; readonly error: string };
