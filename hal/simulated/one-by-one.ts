import { HalError } from '../hal-error.ts';
import type { LinkChange, Links } from '../links.ts';

/** {@link Links.apply} of a port whose changes cost nothing, by the method that makes each of them. */
export async function applyOneByOne(
  links: Omit<Links, 'apply'>,
  changes: readonly LinkChange[],
): Promise<(HalError | undefined)[]> {
  const errors: (HalError | undefined)[] = [];
  for (const change of changes) {
    try {
      await applyOne(links, change);
      errors.push(undefined);
    } catch (error) {
      errors.push(error instanceof HalError ? error : new HalError(String(error)));
    }
  }
  return errors;
}

function applyOne(links: Omit<Links, 'apply'>, change: LinkChange): Promise<void> {
  switch (change.kind) {
    case 'set-up':
      return links.setUp(change.device, change.up);
    case 'set-mtu':
      return links.setMtu(change.device, change.mtu);
    case 'set-mac':
      return links.setMac(change.device, change.mac);
    case 'add-vlan':
      return links.addVlan(change.device, change.vlan);
    case 'remove-link':
      return links.removeVlan(change.device);
    case 'add-address':
      return change.peer === undefined
        ? links.addAddress(change.device, change.address)
        : links.addPeerAddress(change.device, change.address, change.peer);
    case 'remove-address':
      return links.removeAddress(change.device, change.address);
    case 'replace-route':
      return links.replaceRoute(change.route);
    case 'remove-route':
      return links.removeRoute(change.route);
    case 'add-rule':
      return links.addRule(change.rule);
    case 'remove-rule':
      return links.removeRule(change.rule);
    case 'set-sysctl':
      return links.setSysctl(change.key, change.value);
  }
}
