import type { Clock } from '../../hal/clock.ts';
import type { UplinkStatus } from '../api/router-control.ts';
import type { ManagedUplink } from '../uplink/managed-uplink.ts';
import type { UplinkManager } from '../uplink/uplink-manager.ts';
import type { ConnectionState } from '../vpn/steps.ts';

const SILENT_REMEDY =
  'nothing needs to be done: it is asked on, and used again when it answers; ask the provider if it stays so';

/** What `show uplinks` tells. */
export function uplinkStatus(manager: UplinkManager, clock: Pick<Clock, 'now' | 'wall'>): UplinkStatus[] {
  return [...manager.uplinks.values()].map((uplink) => oneStatus(uplink, manager, clock));
}

/** As `connect` waits for it. */
export function uplinkState(uplink: ManagedUplink): ConnectionState {
  const { verdict } = uplink.health;
  if (!uplink.started) return 'down';
  if (verdict === 'failed' || uplink.failure !== undefined) return 'failed';
  return verdict === 'down' ? uplink.linkView.state : 'up';
}

function oneStatus(uplink: ManagedUplink, manager: UplinkManager, clock: Pick<Clock, 'now' | 'wall'>): UplinkStatus {
  const { name, definition, addressing, health } = uplink;
  const { type, interface: parent, priority, weight, metered, standby } = definition.configuration;
  const doubt = manager.doubt(name);
  const device = addressing?.device ?? uplink.parentDevice;
  const { lossPercent, latencyMs, results } = health;
  const { doing, signalBars } = uplink.linkView;
  return {
    name,
    state: uplinkState(uplink),
    ...failureOf(uplink),
    type,
    ...(device === undefined ? {} : { interface: device }),
    ...(parent === undefined ? {} : { parent }),
    ...(addressing === undefined ? {} : { address: addressing.address }),
    ...(addressing?.gateway === undefined ? {} : { gateway: addressing.gateway }),
    dns: [...(addressing?.dns ?? [])],
    carrying: manager.carries(name),
    verdict: doubt !== undefined && health.verdict === 'well' ? 'degraded' : health.verdict,
    why: doubt ?? health.why,
    since: clock.wall() - (clock.now() - health.since),
    doing,
    ...(signalBars === undefined ? {} : { signalBars }),
    priority,
    weight,
    metered,
    standby,
    health: {
      ...(lossPercent === undefined ? {} : { lossPercent }),
      ...(latencyMs === undefined ? {} : { latencyMilliseconds: Math.round(latencyMs * 10) / 10 }),
      results: results.map((ms) => (ms === undefined ? -1 : Math.round(ms * 10) / 10)),
      silentTargets: [...uplink.silentTargets],
    },
  };
}

function failureOf(uplink: ManagedUplink): { reason?: string; remedy?: string } {
  const { failure, health } = uplink;
  if (failure !== undefined) return { reason: `${failure.step}: ${failure.reason}`, remedy: failure.remedy };
  return health.verdict === 'failed' ? { reason: `probes: ${health.why}`, remedy: SILENT_REMEDY } : {};
}
