import { isDeepStrictEqual } from 'node:util';
import type { L2tpClientConfiguration, L2tpServerConfiguration } from '../config/l2tp-schema.ts';
import type { HelloPolicy } from '../protocol/l2tp/endpoint-types.ts';
import type { L2tpClientOptions } from '../vpn/l2tp/client-types.ts';
import type { ServerIpv6Options } from '../vpn/l2tp/server-ipv6.ts';
import type { L2tpServerOptions, ServerRadius } from '../vpn/l2tp/server-types.ts';
import type { ForwardTarget } from '../vpn/l2tp/switchboard.ts';

/** Milliseconds and names as the protocol machines want them, from seconds and names as people write them. */
function helloPolicy(hello: L2tpClientConfiguration['hello']): HelloPolicy {
  return { idleMs: hello.idleSeconds * 1000, probeMs: hello.probeSeconds * 1000, probes: hello.probes };
}

/** What a client machine is told, from its configuration. */
export function clientOptions(
  configuration: L2tpClientConfiguration,
  hostName: string,
  mru: number,
  review: Pick<L2tpClientOptions, 'reviewAssignment' | 'reviewIpv6' | 'accessLine'>,
): L2tpClientOptions {
  const { server, port, user, password, authentication, secret, hideAvps, hello, ipv6, start, number } = configuration;
  const { sequencing, reorder, dscp, maxFail } = configuration;
  return {
    hostName,
    server,
    port,
    user,
    password,
    authentication,
    ...(secret === undefined ? {} : { secret }),
    hideAvps,
    mru,
    hello: helloPolicy(hello),
    ipv6,
    maxFail,
    data: { sequencing: sequencing === 'on', reorder, dscp },
    ...(start === 'called' ? { answers: number } : {}),
    ...review,
  };
}

/** What a server machine is told, from its configuration. */
export function serverOptions(
  configuration: L2tpServerConfiguration,
  hostName: string,
  mru: number,
  radius?: ServerRadius,
): L2tpServerOptions {
  const { localAddress, pool, dns, ipv6, users, authentication, secret, hideAvps, hello, limits, forward, calls } =
    configuration;
  const { sequencing, reorder, dscp, proxyAuthentication } = configuration;
  return {
    hostName,
    localAddress,
    pool,
    dns,
    ...(ipv6 === undefined ? {} : { ipv6: serverIpv6Options(ipv6) }),
    users: Object.fromEntries(
      Object.entries(users).map(([name, { password, address, ipv6Prefix, routes }]) => [
        name,
        {
          password,
          routes,
          ...(address === undefined ? {} : { address }),
          ...(ipv6Prefix === undefined ? {} : { ipv6Prefix }),
        },
      ]),
    ),
    authentication,
    ...(secret === undefined ? {} : { secret }),
    hideAvps,
    mru,
    hello: helloPolicy(hello),
    limits,
    data: { sequencing: sequencing === 'on', reorder, dscp },
    ...(radius ? { radius } : {}),
    proxyAuthentication,
    forward: forwardTargets(forward),
    calls: Object.entries(calls).map(([name, { host, number, start }]) => ({
      name,
      host,
      number,
      always: start === 'boot',
    })),
  };
}

function forwardTargets(forward: L2tpServerConfiguration['forward']): readonly ForwardTarget[] {
  return Object.entries(forward).map(([name, { server, port, realms, users, secret, hideAvps }]) => ({
    name,
    realms,
    users,
    server: { address: server, port },
    hideAvps,
    ...(secret === undefined ? {} : { secret }),
  }));
}

function serverIpv6Options(ipv6: NonNullable<L2tpServerConfiguration['ipv6']>): ServerIpv6Options {
  const { pool, localAddress, dns } = ipv6;
  return { pool, dns, ...(localAddress === undefined ? {} : { localAddress }) };
}

/** The names whose entries two versions of a configuration have in common, unchanged. */
export function unchanged<T>(before: Readonly<Record<string, T>>, after: Readonly<Record<string, T>>): Set<string> {
  return new Set(Object.keys(after).filter((name) => isDeepStrictEqual(before[name], after[name])));
}
