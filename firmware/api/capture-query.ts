/** What the request for a capture and its answer are called: what both sides of the control API share. */
import type { CaptureLimits } from '../diagnosis/capture/capture-limits.ts';

export interface CaptureQuery extends Partial<CaptureLimits> {
  /** Of a tunnel: the packets of IKE, ESP and L2TP around it, instead of what is inside. */
  readonly outside?: boolean;
}

/** Header that names the capture for whoever ends it. */
export const CAPTURE_ID_HEADER = 'culvert-capture';

/** Trailer, JSON, a `CaptureEnd`. Missing where the router ended before the capture did. */
export const CAPTURE_END_TRAILER = 'culvert-capture-end';
