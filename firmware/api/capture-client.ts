/** The client's side of a capture. */
import type { CaptureEnd } from '../diagnosis/capture/capture-run.ts';
import { CAPTURE_END_TRAILER, CAPTURE_ID_HEADER, type CaptureQuery } from './capture-query.ts';
import type { CommandResult } from './router-control.ts';
import { ControlTransport, commandResult, readAnswer } from './transport.ts';

export interface RemoteCapture {
  readonly ok: true;
  /** The file as it grows. It ends too early where the router does, or the signal aborts. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** How it went, behind the last chunk; `undefined` where it ended too early. */
  readonly end: () => CaptureEnd | undefined;
  /** Asks the router to end it as it should end; the last chunks follow. */
  stop(): Promise<void>;
}

/** @throws ControlClientError when no router answers, or too many captures run. */
export async function startCapture(
  stateDir: string,
  name: string,
  query: CaptureQuery,
  signal: AbortSignal,
): Promise<RemoteCapture | (CommandResult & { readonly ok: false })> {
  const transport = new ControlTransport(stateDir);
  const asked = Object.fromEntries(Object.entries(query).map(([key, value]) => [key, String(value)]));
  const path = `/v1/capture/${encodeURIComponent(name)}?${new URLSearchParams(asked)}`;
  const response = await transport.open('POST', path, { signal });
  if (response.statusCode !== 200) {
    const result = commandResult(await readAnswer(response));
    return result.ok ? { ok: false, reason: 'the router said nothing' } : result;
  }
  return {
    ok: true,
    chunks: response,
    end: () => {
      const text = response.trailers[CAPTURE_END_TRAILER];
      return text === undefined ? undefined : (JSON.parse(text) as CaptureEnd);
    },
    stop: async () => {
      await transport.call('DELETE', `/v1/captures/${response.headers[CAPTURE_ID_HEADER]}`);
    },
  };
}
