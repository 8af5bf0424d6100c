import type { L2tpServerConfiguration } from '../config/l2tp-schema.ts';
import { utf8Bytes } from '../protocol/bytes.ts';
import type { ServerRadius } from '../vpn/l2tp/server-types.ts';
import type { NasIdentity } from '../vpn/radius/nas.ts';
import type { RadiusDeskOptions } from '../vpn/radius/radius-desk.ts';

type RadiusSection = NonNullable<L2tpServerConfiguration['radius']>;

/** What the desk of an L2TP server is told of its RADIUS servers. */
export function deskOptions(radius: RadiusSection, listen: string, hostName: string): RadiusDeskOptions {
  const { servers, requireMessageAuthenticator, deadSeconds, accounting } = radius;
  return {
    client: {
      servers: servers.map(({ address, port, accountingPort, secret, timeoutSeconds, tries }) => ({
        host: address,
        port,
        accountingPort,
        secret: utf8Bytes(secret),
        timeoutMs: timeoutSeconds * 1000,
        tries,
      })),
      requireMessageAuthenticator,
      deadMs: deadSeconds * 1000,
    },
    nas: nasIdentity(radius, listen, hostName),
    accounting,
  };
}

/** What the machine of an L2TP server is told of RADIUS. */
export function machineRadius(
  radius: RadiusSection,
  listen: string,
  hostName: string,
  review: ServerRadius['review'],
): ServerRadius {
  const { accounting, interimSeconds } = radius;
  return {
    nas: nasIdentity(radius, listen, hostName),
    accounting,
    ...(interimSeconds === undefined ? {} : { interimMs: interimSeconds * 1000 }),
    review,
  };
}

function nasIdentity({ nasIdentifier }: RadiusSection, address: string, hostName: string): NasIdentity {
  return { identifier: nasIdentifier ?? hostName, address };
}
