/** The error of a change or a question that `ip` refused. */
import { HalError } from '../hal-error.ts';
import { capabilityAdvice, explainDenied, passesCapabilityOn } from './capabilities.ts';
import { errorCodeOf, errorTextOf } from './ip-errors.ts';

/** @param failure the beginning of the sentence. @param stderr what `ip` said about it. */
export function refused(failure: string, stderr: string): HalError {
  const code = errorCodeOf(stderr);
  const text = errorTextOf(stderr);
  const what = `${failure} (${code === '' ? text : `${code}: ${text}`}).`;
  const next = remedy(code);
  return new HalError(next === '' ? what : `${what} ${next}`, code);
}

function remedy(code: string): string {
  switch (code) {
    case 'EPERM':
      return passesCapabilityOn('CAP_NET_ADMIN') ? explainDenied('CAP_NET_ADMIN') : capabilityAdvice(['CAP_NET_ADMIN']);
    case 'EEXIST':
      return 'It is there already.';
    case 'ENODEV':
      return 'There is no such network interface: check its name, and that it exists already.';
    case 'EADDRNOTAVAIL':
    case 'ESRCH':
    case 'ENOENT':
      return 'It is not there.';
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
      return 'The gateway is not on a network of this machine: check its address and that of the interface.';
    case 'ENETDOWN':
      return 'The interface is down: set it up first.';
    case 'EOPNOTSUPP':
      return 'The kernel has no such thing (a VLAN takes CONFIG_VLAN_8021Q, the module 8021q): use one that has it.';
    case 'EBUSY':
      return 'It is in use: set the interface down first.';
    case 'EINVAL':
      return 'The kernel does not take the value: check it.';
    default:
      return '';
  }
}
