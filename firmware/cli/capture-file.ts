/** A file that grows while a capture runs. */
import { type FileHandle, open } from 'node:fs/promises';
import { systemErrorText } from './system-error-text.ts';
import { existing, FileError } from './text-file.ts';

/** For its owner only: whoever reads it reads the traffic. */
export class CaptureFile {
  readonly #path: string;
  readonly #handle: FileHandle;
  #waiting: Uint8Array[] = [];
  #written = 0;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  /** @param force also in place of a file that is there. @throws FileError */
  static async open(path: string, force: boolean): Promise<CaptureFile> {
    try {
      return new CaptureFile(path, await open(path, force ? 'w' : 'wx', 0o600));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') throw existing(path);
      throw unwritable(path, error);
    }
  }

  write(block: Uint8Array): void {
    this.#waiting.push(block);
  }

  /** What was given is written. @throws FileError when there is no room for it. */
  async drained(): Promise<void> {
    const blocks = Buffer.concat(this.#waiting);
    this.#waiting = [];
    try {
      await this.#handle.writeFile(blocks);
      this.#written += blocks.length;
    } catch (error) {
      // A part of a block would make the file unreadable.
      await this.#handle.truncate(this.#written).catch(() => undefined);
      throw unwritable(this.#path, error);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function unwritable(path: string, error: unknown): FileError {
  const why = systemErrorText(error) ?? (error instanceof Error ? error.message : 'for an unknown reason');
  return new FileError(`${path} cannot be written, ${why}: choose another place`);
}
