/** What requests for ping and traceroute are called: what both sides of the control API share. */
import type { PingRequest, TracerouteRequest } from '../diagnosis/reach/reach-event.ts';

/** What is not said has its default. */
export type PingQuery = Pick<PingRequest, 'host'> & Partial<PingRequest>;
export type TracerouteQuery = Pick<TracerouteRequest, 'host'> & Partial<TracerouteRequest>;

/** Header that names it for whoever ends it. */
export const REACH_ID_HEADER = 'culvert-reach';
