/** A capture as the answer to a request: pcapng as it grows, and behind it how it went, as a trailer (RFC 9110 section 6.5). */
import type { FastifyReply } from 'fastify';
import { Type } from 'typebox';
import { CAPTURE_BOUNDS, type CaptureLimits, captureLimits } from '../diagnosis/capture/capture-limits.ts';
import { CAPTURE_END_TRAILER, CAPTURE_ID_HEADER, type CaptureQuery } from './capture-query.ts';
import { sendCommandFailure, sendProblem } from './problem.ts';
import type { CaptureResult, RouterControl } from './router-control.ts';

const bounded = (key: keyof CaptureLimits, description: string) => {
  const { least, most, default: usual } = CAPTURE_BOUNDS[key];
  return Type.Optional(
    Type.Integer({ minimum: least, maximum: most, description: `${description} Without it ${usual}.` }),
  );
};

export const captureQuery = Type.Object({
  outside: Type.Optional(
    Type.Boolean({
      description: 'Of a tunnel: the packets of IKE, ESP and L2TP around it, instead of what is inside.',
    }),
  ),
  seconds: bounded('seconds', 'How long at most.'),
  packets: bounded('packets', 'Packets at most.'),
  octets: bounded('octets', 'Octets of the whole file at most.'),
  snap: bounded('snap', 'Octets of each packet that are kept.'),
});

/** Answers with the capture, or with why there is none. It ends with whoever reads it. */
export async function streamCapture(
  control: RouterControl,
  name: string,
  query: CaptureQuery,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { outside = false, ...limits } = query;
  const result = await control.capture({ name, outside, limits: captureLimits(limits) });
  if (result.ok) return begin(result, reply);
  if (result.busy !== true) return sendCommandFailure(reply, result);
  return sendProblem(reply, { status: 503, detail: result.reason, remedy: result.remedy ?? 'try again later' });
}

function begin({ id, begin: start }: CaptureResult & { readonly ok: true }, reply: FastifyReply): FastifyReply {
  reply.hijack();
  const response = reply.raw;
  response.on('error', () => response.destroy());
  response.writeHead(200, {
    'content-type': 'application/x-pcapng',
    'cache-control': 'no-store',
    [CAPTURE_ID_HEADER]: String(id),
    trailer: CAPTURE_END_TRAILER,
  });
  const run = start({
    get backlog() {
      return response.writableLength;
    },
    write: (blocks) => void (response.destroyed || response.write(blocks)),
    end: (end) => {
      response.addTrailers({ [CAPTURE_END_TRAILER]: JSON.stringify(end) });
      response.end();
    },
  });
  // Harmless when the capture has ended: then it is what has closed the response.
  if (response.destroyed) run.abandon();
  else response.once('close', () => run.abandon());
  return reply;
}
