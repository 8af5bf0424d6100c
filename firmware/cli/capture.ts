/** `culvert capture NAME`: packets as they pass, as lines or as a file. */
import { type RemoteCapture, startCapture } from '../api/capture-client.ts';
import type { CaptureQuery } from '../api/capture-query.ts';
import type { CommandResult } from '../api/router-control.ts';
import { CAPTURE_BOUNDS, type CaptureLimits } from '../diagnosis/capture/capture-limits.ts';
import { type CaptureEnd, END_WORDS } from '../diagnosis/capture/capture-run.ts';
import { CaptureError } from '../diagnosis/decode/capture-types.ts';
import { decodeCapture } from '../diagnosis/decode/decode-capture.ts';
import { CaptureFile } from './capture-file.ts';
import { type Context, UsageError } from './command.ts';
import { messageLine } from './decoded-text.ts';
import { didYouMean } from './did-you-mean.ts';
import { Ending } from './ending.ts';
import { stateDirOf } from './options.ts';
import { done, failed } from './output.ts';
import { refuseExisting } from './text-file.ts';
import { WholeBlocks } from './whole-blocks.ts';
import { wholeNumberOption } from './whole-number-option.ts';

const WARNING =
  'whoever sees this capture sees the traffic, passwords and all that is not encrypted by itself: keep it to yourself';

const BOUNDED = ['seconds', 'packets', 'octets', 'snap'] as const satisfies readonly (keyof CaptureLimits)[];

export async function run(context: Context): Promise<number> {
  const [name = ''] = context.positionals;
  const { outside, file, force } = context.options;
  const query: CaptureQuery = { ...limitsOf(context), ...(outside === true && { outside }) };
  if (force === true && file === undefined) throw new UsageError('--force is for --file: name the file');
  if (file !== undefined && force !== true) await refuseExisting(file);
  const gone = new AbortController();
  try {
    const capture = await startCapture(stateDirOf(context.options), name, query, gone.signal);
    if (!capture.ok) {
      context.complain(refusalText(name, capture));
      return failed;
    }
    const ending = new Ending(capture, gone, context.signal);
    try {
      context.complain(WARNING);
      await take(context, capture);
    } finally {
      ending.done();
    }
    return told(context, name, capture.end(), ending.asked);
  } finally {
    // Whatever went wrong here: the router need not go on.
    gone.abort();
  }
}

async function take(context: Context, capture: RemoteCapture): Promise<void> {
  const { file: path, force } = context.options;
  if (path === undefined) {
    if (context.raw === undefined) await show(context, capture);
    else await record(capture, context.raw, context.drained);
    return;
  }
  const file = await CaptureFile.open(path, force === true);
  try {
    await record(
      capture,
      (blocks) => file.write(blocks),
      () => file.drained(),
    );
  } finally {
    await file.close();
  }
}

function refusalText(name: string, { reason, remedy, notFound }: CommandResult & { readonly ok: false }): string {
  return `${reason}: ${remedy ?? 'look at "culvert show log"'}${didYouMean(name, notFound ?? [])}`;
}

function limitsOf({ options }: Context): Partial<CaptureLimits> {
  const limits: { -readonly [Key in keyof CaptureLimits]?: number } = {};
  for (const key of BOUNDED) {
    const value = wholeNumberOption(options, key, CAPTURE_BOUNDS[key]);
    if (value !== undefined) limits[key] = value;
  }
  return limits;
}

async function record(
  { chunks }: RemoteCapture,
  write: (blocks: Uint8Array) => void,
  drained: () => Promise<void>,
): Promise<void> {
  const blocks = new WholeBlocks();
  await untilItEnds(async () => {
    for await (const chunk of chunks) {
      const whole = Buffer.concat([...blocks.push(chunk)]);
      if (whole.length > 0) write(whole);
      await drained();
    }
  });
}

async function show(context: Context, { chunks }: RemoteCapture): Promise<void> {
  let start: number | undefined;
  await untilItEnds(async () => {
    for await (const message of decodeCapture(chunks, { all: true, outside: true })) {
      start ??= message.time;
      context.out(messageLine(message, start));
      await context.drained();
    }
  });
}

/** A stream that ends too early is one: what came of it is told by its end. */
async function untilItEnds(read: () => Promise<void>): Promise<void> {
  try {
    await read();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    const cutOff = code === 'ECONNRESET' || code === 'ABORT_ERR' || code === 'ERR_STREAM_PREMATURE_CLOSE';
    if (!cutOff && !(error instanceof CaptureError)) throw error;
  }
}

/** How it went, in one line on stderr. @returns the exit code. */
function told(context: Context, name: string, end: CaptureEnd | undefined, asked: boolean): number {
  if (end === undefined) {
    if (asked) context.complain(`the capture of ${name} was broken off: what there is of it is whole`);
    else context.complain(`the capture of ${name} was cut short, for the router ended: what there is of it is whole`);
    return asked ? done : failed;
  }
  const { reason, packets, lost } = end;
  const count = `${packets} packet${packets === 1 ? '' : 's'}`;
  const missing =
    lost === 0 ? '' : `; ${lost} more passed and were lost, for they came faster than they could be taken`;
  context.complain(`the capture of ${name} has ended, ${END_WORDS[reason]}: ${count}${missing}`);
  return reason === 'failed' ? failed : done;
}
