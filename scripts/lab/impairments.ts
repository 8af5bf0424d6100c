/**
 * What goes wrong on the way between two sites: done to the packets that a bridge of the lab passes on. Each is undone
 * by itself, and all end with the namespace.
 */
import type { Namespace } from './namespaces.ts';
import { run, tryRun } from './shell.ts';

/** What is done to which packets, as a rule of nftables. */
export interface Impairment {
  /** For people and for the name of the table: letters, digits and `_`. */
  readonly name: string;
  readonly rules: readonly string[];
}

/** Ends an impairment. Harmless when it has ended. */
export type EndImpairment = () => Promise<void>;

/** Some providers and hotels let no IKE pass. */
export const blockUdp500: Impairment = blockUdp(500);

/** No ESP in UDP: IPsec stands only where no NAT is on the way. */
export const blockUdp4500: Impairment = blockUdp(4500);

/** IKE passes and the packets do not: the SAs stand and nothing goes through them. */
export const blockEsp: Impairment = { name: 'block_esp', rules: ['meta l4proto esp drop'] };

/** Nothing passes. */
export const blockEverything: Impairment = { name: 'block_all', rules: ['meta protocol { ip, ip6 } drop'] };

function blockUdp(port: number): Impairment {
  return {
    name: `block_udp_${port}`,
    rules: [`meta l4proto udp th dport ${port} drop`, `meta l4proto udp th sport ${port} drop`],
  };
}

/** Loses packets at random. @param percent - 0 to 100, a whole number */
export function lose(percent: number): Impairment {
  return { name: `lose_${percent}`, rules: [`meta protocol { ip, ip6 } numgen random mod 100 < ${percent} drop`] };
}

/**
 * Begins an impairment of what the bridges of `namespace` pass on from port to port. The same one twice at a time is one.
 * @returns its end
 */
export async function impair(namespace: Namespace, { name, rules }: Impairment): Promise<EndImpairment> {
  const table = `bridge culvert_${name}`;
  const input = [
    `table ${table}`,
    `delete table ${table}`,
    `table ${table} {`,
    'chain forward {',
    'type filter hook forward priority filter',
    ...rules,
    '}',
    '}',
    '',
  ].join('\n');
  await run(namespace.command('nft', '-f', '-'), { input });
  return async () => {
    await run(namespace.command('nft', '-f', '-'), { input: `table ${table}\ndelete table ${table}\n` });
  };
}

/** How long a packet may wait at a port of limited rate before the queue is full, in milliseconds. */
const MAX_QUEUE_MS = 100;
/** What a port lets pass at once: the largest packet that the kernel makes of several, in octets. */
const BURST_OCTETS = 65_536;

/**
 * Makes every port of the bridges of `namespace` as slow as a line of this rate: what is more waits for a while, then is lost.
 * @returns its end
 */
export async function limitRate(namespace: Namespace, kilobitsPerSecond: number): Promise<EndImpairment> {
  const listed = await namespace.ip('-brief', 'link', 'show', 'type', 'bridge_slave');
  const ports = [...listed.matchAll(/^([^@\s]+)/gm)].map(([name]) => name);
  const queue = ['tbf', 'rate', `${kilobitsPerSecond}kbit`, 'burst', `${BURST_OCTETS}`, 'latency', `${MAX_QUEUE_MS}ms`];
  for (const port of ports) await namespace.run('tc', 'qdisc', 'replace', 'dev', port, 'root', ...queue);
  return async () => {
    for (const port of ports) await tryRun(namespace.command('tc', 'qdisc', 'delete', 'dev', port, 'root'));
  };
}
