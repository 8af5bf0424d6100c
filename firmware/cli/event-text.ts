/** A step of a connection, a line for people. */
import type { RouterEvent } from '../api/router-control.ts';

/** `   0.042 s  sent SCCRQ`: since the attempt began. */
export function eventText(event: RouterEvent): string {
  const since = event.sinceStartMs === undefined ? '' : `${(event.sinceStartMs / 1000).toFixed(3)} s`;
  return `${since.padStart(10)}  ${eventWords(event)}`;
}

export function eventWords(event: RouterEvent): string {
  const words = [event.kind === 'warning' ? 'warning:' : undefined, event.direction, event.step, event.state];
  const detail = event.detail === undefined ? '' : ` (${event.detail})`;
  return `${words.filter((word) => word !== undefined).join(' ')}${detail}`;
}
