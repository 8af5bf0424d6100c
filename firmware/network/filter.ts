/** The body of our nftables table. */
import type { DesiredNetwork } from './desired.ts';
import { OUTER_MARK } from './marks.ts';

/** In the nft language; empty when no table is wanted. */
export function filterBody(desired: Pick<DesiredNetwork, 'masquerade' | 'markReplies'>): string {
  const chains: string[] = [];
  if (desired.masquerade.length > 0) {
    const devices = desired.masquerade.map(({ device }) => `    oifname "${device}" masquerade`);
    chains.push(chain('postrouting', 'nat', 'postrouting', 'srcnat', devices));
  }
  if (desired.markReplies) {
    // Reverse-path filtering looks for the sender as an unmarked packet would be routed: into the tunnel, or nowhere
    // while it is down. With the socket's mark it looks where the socket's own packets go.
    const mark = `0x${OUTER_MARK.toString(16)}`;
    const rule = `    fib daddr type local meta l4proto { udp, icmp } socket mark ${mark} meta mark set ${mark}`;
    chains.push(chain('outer', 'filter', 'prerouting', 'mangle', [rule]));
  }
  return chains.join('\n');
}

function chain(name: string, type: string, hook: string, priority: string, rules: readonly string[]): string {
  const head = `    type ${type} hook ${hook} priority ${priority}; policy accept;`;
  return [`  chain ${name} {`, head, ...rules, '  }'].join('\n');
}
