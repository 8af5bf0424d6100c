/** What was right when a run ended: who finds it otherwise later knows that somebody else was there. */
import { commandText } from '../../hal/link-command.ts';
import type { Link, LinkChange } from '../../hal/links.ts';
import type { DesiredNetwork } from './desired.ts';
import type { Step } from './step.ts';
import type { WantedSysctl } from './sysctls.ts';

export class Settled {
  readonly #desired: DesiredNetwork;
  readonly #sysctls: readonly WantedSysctl[];
  /** Index by name: a device that was made anew has nothing that could have been taken from it. */
  readonly #devices: ReadonlyMap<string, number>;
  readonly #failed: ReadonlySet<string>;
  /** Commands that would have made what was right. Worked out when it is asked for, which is seldom. */
  #commands: ReadonlySet<string> | undefined;

  /** @param failed texts of the commands that were refused. */
  constructor(
    desired: DesiredNetwork,
    sysctls: readonly WantedSysctl[],
    links: readonly Link[],
    failed: ReadonlySet<string>,
  ) {
    this.#desired = desired;
    this.#sysctls = sysctls;
    this.#devices = new Map(links.map(({ name, index }) => [name, index]));
    this.#failed = failed;
  }

  /** Whether what the step makes was there, on devices that are still the same. */
  includes(step: Step, links: readonly Link[]): boolean {
    this.#commands ??= new Set(this.#changes().map(commandText));
    return step.changes.every((change) => {
      for (const device of devicesOf(change)) {
        const index = links.find(({ name }) => name === device)?.index;
        if (index === undefined || this.#devices.get(device) !== index) return false;
      }
      const text = commandText(change);
      return this.#commands?.has(text) === true && !this.#failed.has(text);
    });
  }

  #changes(): LinkChange[] {
    const { links, addresses, routes, rules, forwarding } = this.#desired;
    return [
      ...links.flatMap(({ device, mtu, mac, vlan }): LinkChange[] => [
        ...(vlan === undefined ? [] : [{ kind: 'add-vlan', device, vlan } as const]),
        ...(mac === undefined ? [] : [{ kind: 'set-mac', device, mac } as const]),
        { kind: 'set-up', device, up: true },
        ...(mtu === undefined ? [] : [{ kind: 'set-mtu', device, mtu } as const]),
      ]),
      ...addresses.map((address): LinkChange => ({ kind: 'add-address', ...address })),
      ...routes.map((route): LinkChange => ({ kind: 'replace-route', route })),
      ...rules.map((rule): LinkChange => ({ kind: 'add-rule', rule })),
      ...this.#sysctls.map(({ key, to }): LinkChange => ({ kind: 'set-sysctl', key, value: to })),
      ...(forwarding ? [{ kind: 'set-sysctl', key: 'net.ipv4.ip_forward', value: '1' } as const] : []),
    ];
  }
}

function devicesOf(change: LinkChange): readonly string[] {
  if ('device' in change) return [change.device];
  if (!('route' in change)) return [];
  const { device, nexthops = [] } = change.route;
  return [...(device === undefined ? [] : [device]), ...nexthops.map((hop) => hop.device)];
}
