/** A request to a web socket as a web process makes it. */
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';

export interface WebAnswer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readonly<Record<string, unknown>>;
}

/** @param body text is sent as it is, anything else as JSON. */
export async function openWeb(
  socketPath: string,
  method: string,
  path: string,
  body?: unknown,
  token?: string,
): Promise<IncomingMessage> {
  const headers: Record<string, string> = {};
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (body !== undefined) headers['content-type'] = typeof body === 'string' ? 'text/plain' : 'application/json';
  const outgoing = request({ socketPath, method, path, agent: false, headers });
  outgoing.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return response;
}

export async function webCall(...parameters: Parameters<typeof openWeb>): Promise<WebAnswer> {
  const response = await openWeb(...parameters);
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(text) };
}
