/**
 * A change of the kernel's network as the command that makes it. What is run and what people are shown come from here, so
 * that they cannot differ.
 */
import {
  addressWithLength,
  decimal,
  MAX_U32,
  MAX_VLAN,
  macAddress,
  plainAddress,
  routeArguments,
  ruleArguments,
} from './ip-arguments.ts';
import type { LinkChange } from './links.ts';
import { assertInterfaceName } from './names.ts';

/** Kernel parameters are written without a program, which is why they have no arguments of `ip`. */
export type IpChange = Exclude<LinkChange, { readonly kind: 'set-sysctl' }>;

export interface IpCommand {
  /** What comes before the object, for a whole batch: `-6`, or nothing where the arguments tell the family. */
  readonly options: readonly string[];
  /** From the object on; none has a blank or a character that `ip -batch` gives a meaning to. */
  readonly args: readonly string[];
}

/** @throws HalError (EINVAL) when a part of the change is not what it should be. */
export function ipCommand(change: IpChange): IpCommand {
  switch (change.kind) {
    case 'set-up':
      return plain('link', 'set', 'dev', device(change), change.up ? 'up' : 'down');
    case 'set-mtu':
      return plain('link', 'set', 'dev', device(change), 'mtu', decimal(change.mtu, MAX_U32, 'an MTU'));
    case 'set-mac':
      return plain('link', 'set', 'dev', device(change), 'address', macAddress(change.mac));
    case 'add-vlan': {
      const { parent, id } = change.vlan;
      const place = ['link', device({ device: parent }), 'name', device(change), 'type', 'vlan', 'id'];
      return plain('link', 'add', ...place, decimal(id, MAX_VLAN, 'the number of a VLAN'));
    }
    case 'remove-link':
      return plain('link', 'del', 'dev', device(change));
    case 'add-address':
      if (change.peer === undefined)
        return plain('address', 'add', addressWithLength(change.address), 'dev', device(change));
      return plain(
        'address',
        'add',
        plainAddress(change.address),
        'peer',
        plainAddress(change.peer),
        'dev',
        device(change),
      );
    case 'remove-address': {
      const address = addressWithLength(change.address);
      if (change.peer === undefined) return plain('address', 'del', address, 'dev', device(change));
      const [local = '', length = ''] = address.split('/');
      return plain('address', 'del', local, 'peer', `${plainAddress(change.peer)}/${length}`, 'dev', device(change));
    }
    case 'replace-route':
      return plain('route', 'replace', ...routeArguments(change.route));
    case 'remove-route':
      return plain('route', 'del', ...routeArguments(change.route));
    case 'add-rule':
    case 'remove-rule': {
      const { family } = change.rule;
      const args = ['rule', change.kind === 'add-rule' ? 'add' : 'del', ...ruleArguments(change.rule)];
      return { options: family === 6 ? ['-6'] : [], args };
    }
  }
}

/** What a person would type: `ip address add 192.168.12.1/24 dev lan0`. @throws HalError as {@link ipCommand}. */
export function commandText(change: LinkChange): string {
  if (change.kind === 'set-sysctl') return `sysctl -w ${change.key}=${change.value}`;
  const { options, args } = ipCommand(change);
  return ['ip', ...options, ...args].join(' ');
}

/** The beginning of the sentence when it fails. */
export function failureText(change: IpChange): string {
  switch (change.kind) {
    case 'set-up':
      return `The interface ${change.device} cannot be set ${change.up ? 'up' : 'down'}`;
    case 'set-mtu':
      return `The MTU of ${change.device} cannot be set to ${change.mtu}`;
    case 'set-mac':
      return `The MAC address of ${change.device} cannot be set to ${change.mac}`;
    case 'add-vlan':
      return `VLAN ${change.vlan.id} of ${change.vlan.parent} cannot be added as ${change.device}`;
    case 'remove-link':
      return `The device ${change.device} cannot be removed`;
    case 'add-address':
      return `The address ${change.address}${withPeer(change.peer)} cannot be added to ${change.device}`;
    case 'remove-address':
      return `The address ${change.address} cannot be removed from ${change.device}`;
    case 'replace-route':
      return `The route to ${change.route.prefix} cannot be set in table ${change.route.table}`;
    case 'remove-route':
      return `The route to ${change.route.prefix} cannot be removed from table ${change.route.table}`;
    case 'add-rule':
      return `The rule of priority ${change.rule.priority} cannot be added`;
    case 'remove-rule':
      return `The rule of priority ${change.rule.priority} cannot be removed`;
  }
}

/** `ip` takes the family from the address or the prefix. */
function plain(...args: readonly string[]): IpCommand {
  return { options: [], args };
}

function device(change: { readonly device: string }): string {
  assertInterfaceName(change.device);
  return change.device;
}

function withPeer(peer: string | undefined): string {
  return peer === undefined ? '' : ` with peer ${peer}`;
}
