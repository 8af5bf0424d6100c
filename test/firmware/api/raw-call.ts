/** A request to a control socket as a stranger's program makes it. */
import { once } from 'node:events';
import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http';
import { controlSocketPath } from '../../../firmware/api/socket-path.ts';

export interface RawAnswer {
  readonly status: number | undefined;
  readonly contentType: string | undefined;
  readonly headers: IncomingHttpHeaders;
  /** Empty where there is none. */
  readonly body: Record<string, unknown>;
}

export async function rawCall(
  stateDir: string,
  method: string,
  path: string,
  body?: string | Buffer,
  contentType?: string,
  headers: OutgoingHttpHeaders = {},
): Promise<RawAnswer> {
  const outgoing = request({
    socketPath: controlSocketPath(stateDir),
    method,
    path,
    agent: false,
    headers: { ...headers, ...(contentType !== undefined && { 'content-type': contentType }) },
  });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  let text = '';
  for await (const chunk of response) text += chunk;
  const { statusCode: status, headers: answered } = response;
  return {
    status,
    contentType: answered['content-type'],
    headers: answered,
    body: text === '' ? {} : JSON.parse(text),
  };
}
