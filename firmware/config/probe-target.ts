/** What the target of a probe means. */
import { parseIpv4 } from '../protocol/ip-address.ts';
import type { UplinkProbe } from './uplinks-schema.ts';

/** An IPv4 address where a probe goes, and what it asks there. */
export type ProbeTarget =
  | { readonly kind: 'icmp'; readonly address: string }
  | { readonly kind: 'dns'; readonly address: string; readonly name: string }
  | { readonly kind: 'tcp'; readonly address: string; readonly port: number }
  /** `host` as the header has it; `path` with its query, beginning with a slash. */
  | {
      readonly kind: 'http';
      readonly address: string;
      readonly port: number;
      readonly host: string;
      readonly path: string;
    };

/** What any name server answers without asking another one, and what says nothing of who asks: the root. */
const ROOT = '.';

const HTTP_PORT = 80;

/** @returns `undefined` where the target does not fit its kind. */
export function probeTarget({
  kind,
  target,
  name,
}: Pick<UplinkProbe, 'kind' | 'target' | 'name'>): ProbeTarget | undefined {
  switch (kind) {
    case 'icmp':
      return isHost(target) ? { kind, address: target } : undefined;
    case 'dns':
      return isHost(target) ? { kind, address: target, name: name ?? ROOT } : undefined;
    case 'tcp': {
      const [, address = '', port = ''] = /^([0-9.]+):([0-9]{1,5})$/.exec(target) ?? [];
      return isHost(address) && isPort(Number(port)) ? { kind, address, port: Number(port) } : undefined;
    }
    case 'http': {
      const [, address = '', port, path = '/'] = /^http:\/\/([0-9.]+)(?::([0-9]{1,5}))?(\/[^#]*)?$/.exec(target) ?? [];
      const number = port === undefined ? HTTP_PORT : Number(port);
      if (!isHost(address) || !isPort(number)) return undefined;
      return { kind, address, port: number, host: port === undefined ? address : `${address}:${port}`, path };
    }
  }
}

/** What there is at the other end in words: `icmp 192.0.2.1`, `tcp 192.0.2.1:443`. */
export function probeText({ kind, target }: Pick<UplinkProbe, 'kind' | 'target'>): string {
  return `${kind} ${target}`;
}

function isHost(text: string): boolean {
  const first = (parseIpv4(text) ?? 0) >>> 24;
  return first !== 0 && first < 224;
}

function isPort(number: number): boolean {
  return number >= 1 && number <= 0xffff;
}
