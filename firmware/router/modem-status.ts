import type { ModemStatus } from '../api/router-control.ts';
import type { ModemConfiguration } from '../config/modems-schema.ts';
import type { ModemStatus as ModemSnapshot } from '../uplink/modem/cellular-modem.ts';

/** As much of an uplink as is looked at. */
interface Uplink {
  readonly name: string;
  readonly modem: ModemSnapshot | undefined;
}

/** What `show modems` tells: every modem of the configuration, also one that no uplink uses. */
export function modemStatus(
  uplinks: readonly Uplink[],
  modems: Readonly<Record<string, ModemConfiguration>>,
): readonly ModemStatus[] {
  return Object.keys(modems).map((name) => {
    const uplink = uplinks.find(({ modem }) => modem?.name === name);
    return uplink?.modem === undefined ? unused(name) : oneStatus(uplink.name, uplink.modem);
  });
}

function oneStatus(uplink: string, modem: ModemSnapshot): ModemStatus {
  const { failure, messages, data, capOctets, ...rest } = modem;
  const failed = failure && { reason: `${failure.step}: ${failure.reason}`, remedy: failure.remedy };
  return {
    ...rest,
    uplink,
    state: stateOf(modem),
    ...failed,
    ...(data === undefined ? {} : { data }),
    ...(capOctets === undefined ? {} : { capOctets }),
    messages: messages.length,
  };
}

/** A modem is up once a network has taken it in: whether anybody calls by it is the uplink's business. */
function stateOf({ failure, registration }: ModemSnapshot): ModemStatus['state'] {
  if (failure !== undefined) return 'failed';
  return registration === 'home' || registration === 'roaming' ? 'up' : 'connecting';
}

function unused(name: string): ModemStatus {
  return {
    name,
    state: 'down',
    uplink: '',
    where: '',
    manufacturer: '',
    model: '',
    revision: '',
    imei: '',
    sim: 'unknown',
    iccid: '',
    operator: '',
    technology: '',
    band: '',
    registration: 'unknown',
    apn: '',
    bars: 0,
    signal: {},
    online: false,
    octetsThisMonth: 0,
    messages: 0,
    doing: 'no uplink uses it',
  };
}
