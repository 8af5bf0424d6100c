/** Errors as one sentence for a person. */
import { HalError } from '../../hal/hal-error.ts';
import { ControlSocketError } from '../api/control-socket.ts';
import { ControlClientError } from '../api/transport.ts';
import { ImportError } from '../certificates/import-error.ts';
import { KeyFileError } from '../diagnosis/decode/keys/key-files.ts';
import { UsageError } from './command.ts';
import { NotAnsweredError } from './terminal.ts';
import { FileError } from './text-file.ts';

/** Errors whose message is one sentence for a person. */
const FOR_PEOPLE = [
  ImportError,
  UsageError,
  ControlClientError,
  ControlSocketError,
  HalError,
  KeyFileError,
  FileError,
  NotAnsweredError,
];

export function sentence(error: unknown): string {
  if (error instanceof Error && FOR_PEOPLE.some((kind) => error instanceof kind)) return error.message;
  return `unexpected failure: ${error instanceof Error ? error.message : String(error)}`;
}
