/** fetch() over a Unix socket, which the platform's own cannot. */
import { request } from 'node:http';

/** What the generated client is given for the way to the router. */
export function socketFetch(socketPath: string): (asked: Request) => Promise<Response> {
  return async (asked) => {
    const { pathname, search } = new URL(asked.url);
    const body = Buffer.from(await asked.arrayBuffer());
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    const headers = Object.fromEntries(asked.headers);
    const outgoing = request({ socketPath, method: asked.method, path: pathname + search, headers, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('error', reject);
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const status = incoming.statusCode ?? 0;
        // These may have no body, not even an empty one.
        const content = status === 204 || status === 304 ? null : Buffer.concat(chunks);
        const received = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as const);
        resolve(new Response(content, { status, headers: Object.fromEntries(received) }));
      });
    });
    outgoing.end(body);
    return await promise;
  };
}
