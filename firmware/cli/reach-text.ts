/** What ping and traceroute find, in words. */
import type {
  HopProbe,
  PingEnd,
  PingEvent,
  ReachBegan,
  ReachError,
  TracerouteEvent,
} from '../diagnosis/reach/reach-event.ts';

export function pingLine(event: PingEvent): string {
  switch (event.kind) {
    case 'began':
      return beganText('ping of', event);
    case 'reply': {
      const again = event.duplicate === true ? ', once more' : '';
      return `${numbered(event)} ${event.from} answers after ${time(event.ms)}, hop limit ${event.hopLimit}${again}`;
    }
    case 'no-reply':
      return `${numbered(event)} no answer`;
    case 'error':
      return `${numbered(event)} ${errorText(event)}`;
    case 'end':
      return endText(event);
  }
}

export function tracerouteLine(event: TracerouteEvent): string {
  switch (event.kind) {
    case 'began':
      return beganText('way to', event);
    case 'hop':
      return `${String(event.hop).padStart(3)}  ${probesText(event.probes)}`;
    case 'end': {
      const hops = `${event.hops} hop${event.hops === 1 ? '' : 's'}`;
      const mtu = event.pathMtu === undefined ? '' : `; the MTU of the path is ${event.pathMtu}`;
      return `${event.reached ? `it is ${hops} away` : `it was not reached within ${hops}`}${mtu}`;
    }
  }
}

function beganText(what: string, { host, address, via, device, size }: ReachBegan): string {
  const whom = host === address ? address : `${host} (${address})`;
  const way = device === undefined || device === via ? via : `${via} (${device})`;
  return `${what} ${whom} via ${way}, ${size} octets of data in each packet`;
}

function endText({ sent, received, duplicates, errors, times, pathMtu, largestSize }: PingEnd): string {
  const lost = sent === 0 ? 0 : Math.round(((sent - received) / sent) * 1000) / 10;
  const parts = [`${sent} sent`, `${received} answered`, `${lost} % lost`];
  if (errors > 0) parts.push(`${errors} refused on the way`);
  if (duplicates > 0) parts.push(`${duplicates} answered twice`);
  const lines = [parts.join(', ')];
  if (times !== undefined)
    lines.push(`least ${time(times.least)}, average ${time(times.average)}, most ${time(times.most)}`);
  if (pathMtu !== undefined)
    lines.push(`the MTU of the path is ${pathMtu}: up to --size ${largestSize} goes through in one piece`);
  return lines.join('\n');
}

/** Each router once, with the times of its answers. */
function probesText(probes: readonly HopProbe[]): string {
  const groups: { head: string; times: string[] }[] = [];
  for (const { from, ms, reason } of probes) {
    const head = reason === undefined ? (from ?? '') : errorText({ reason, ...(from !== undefined && { from }) });
    const last = groups.at(-1);
    const text = ms === undefined ? (head === '' ? '*' : '') : time(ms);
    if (last !== undefined && (last.head === head || head === '')) last.times.push(text);
    else groups.push({ head, times: [text] });
  }
  return groups.map(({ head, times }) => [head, ...times].filter((part) => part !== '').join('  ')).join('  ');
}

function errorText({ from, reason }: ReachError): string {
  return from === undefined ? reason : `${from} says: ${reason}`;
}

function numbered({ sequence }: { readonly sequence: number }): string {
  return `${String(sequence).padStart(3)} `;
}

function time(ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`;
}
