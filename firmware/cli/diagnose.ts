/** `culvert diagnose`: why a connection is not up, or what went wrong in a capture. */
import { basename } from 'node:path';
import { ControlClient } from '../api/client.ts';
import type { Diagnosis } from '../diagnosis/diagnosis.ts';
import { replayCapture } from '../diagnosis/replay/replay.ts';
import { chunksOf, complaintOf, decodeOptions } from './capture-input.ts';
import { type Context, UsageError } from './command.ts';
import { diagnosisText } from './diagnosis-text.ts';
import { failureText } from './failure-text.ts';
import { stateDirOf } from './options.ts';
import { done, failed } from './output.ts';

export async function run(context: Context): Promise<number> {
  const [name] = context.positionals;
  const { replay } = context.options;
  if ((name === undefined) === (replay === undefined)) {
    throw new UsageError(
      '"diagnose" needs the name of a connection, or --replay with a capture: try "culvert help diagnose"',
    );
  }
  return replay === undefined ? await diagnoseConnection(context, name ?? '') : await diagnoseCapture(context, replay);
}

async function diagnoseConnection(context: Context, name: string): Promise<number> {
  for (const option of ['secret', 'secret-file', 'password', 'password-file', 'keys'] as const) {
    if (context.options[option] !== undefined) throw new UsageError(`--${option} goes with --replay`);
  }
  const result = await new ControlClient(stateDirOf(context.options)).diagnose(name);
  if (!result.ok) {
    context.complain(failureText(name, 'diagnosed', result));
    return failed;
  }
  print(context, result.diagnosis);
  return done;
}

async function diagnoseCapture(context: Context, file: string): Promise<number> {
  try {
    const { diagnosis, fault } = await replayCapture(chunksOf(file, context), basename(file), decodeOptions(context));
    print(context, diagnosis);
    if (fault !== undefined) context.complain(`${file} ${complaintOf(fault)}`);
    return done;
  } catch (error) {
    const complaint = complaintOf(error);
    if (complaint === undefined) throw error;
    context.complain(`${file} ${complaint}`);
    return failed;
  }
}

function print(context: Context, diagnosis: Diagnosis): void {
  context.out(context.options.json === true ? JSON.stringify(diagnosis, null, 2) : diagnosisText(diagnosis).join('\n'));
}
