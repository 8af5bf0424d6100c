/** Why a channel ended or never came up, where the IKE machines do not say it. */
import type { LifetimeUnit } from '../../protocol/esp/lifetime.ts';
import type { Failure } from '../../protocol/machine.ts';

const NOTHING_TO_DO = 'nothing to repair here';

export function noSuchConnection(connection: string): Failure {
  return {
    step: 'IPsec',
    reason: `there is no IPsec connection ${connection}`,
    remedy: 'add it to ipsec.connections',
    cause: 'refused',
  };
}

export function waitsForCallers(connection: string): Failure {
  return {
    step: 'IPsec',
    reason: `the connection ${connection} takes callers from everywhere and knows nobody to call`,
    remedy: 'give it the address of the peer as "remote"',
    cause: 'refused',
  };
}

/** Two channels with one peer cannot be told apart by it. */
export function alreadyDialled(connection: string, remoteAddress: string): Failure {
  return {
    step: 'IPsec',
    reason: `the connection ${connection} has a channel to ${remoteAddress} already`,
    remedy: 'let only one client at a time use a connection to that peer',
    cause: 'refused',
  };
}

/** A caller proved who it is, and nobody is there for it. */
export function nobodyServes(connection: string): Failure {
  return {
    step: 'child SA',
    reason: `the peer called on the connection ${connection}, and nothing here takes calls on it at present`,
    remedy: 'let an L2TP server use the connection, or connect it if it is one between networks',
    cause: 'refused',
  };
}

/** Two branches on one connection cannot have the same addresses: there would be no telling whom a packet is for. */
export function networkTaken(caller: string, network: string, holder: string): Failure {
  return {
    step: 'child SA',
    reason: `${caller} called with the network ${network}, which is behind ${holder} already`,
    remedy: 'give each branch networks of its own; if one took the place of the other, end the other first',
    cause: 'refused',
  };
}

/** Only IPv4 is carried between networks. */
export function noIpv4Address(): Failure {
  return {
    step: 'inner address',
    reason: 'the peer assigned no IPv4 address to this side, which had asked for one',
    remedy: 'have the peer assign one, or set virtualAddress to false and name local networks',
    cause: 'refused',
  };
}

export function noRoute(remoteAddress: string): Failure {
  return {
    step: 'route',
    reason: `there is no route to ${remoteAddress}`,
    remedy: 'check the uplink and the default route',
    cause: 'silence',
  };
}

/** @param reason of the socket that could not be opened. */
export function noSockets(reason: string): Failure {
  return { step: 'socket', reason, remedy: 'end the process that has the port, or see the log', cause: 'refused' };
}

export function configurationChanged(): Failure {
  return { step: 'configuration', reason: 'the connection was changed or removed', remedy: NOTHING_TO_DO };
}

export function shuttingDown(): Failure {
  return { step: 'close', reason: 'this router is being shut down', remedy: NOTHING_TO_DO };
}

/** The peer deleted what the channel was made of. */
export function childGone(): Failure {
  return {
    step: 'child SA',
    reason: 'the peer deleted the last SA of the channel and made no other',
    remedy: 'look for the cause in the log of the peer if this was not intended',
  };
}

/** This side's address on the way to the peer is another one, and what stood cannot follow it. */
export function addressChanged(before: string, after: string): Failure {
  return {
    step: 'address',
    reason: `this side has the address ${after} instead of ${before} now, and the peer cannot go on with another one`,
    remedy: 'nothing needs to be done; the connection is made anew from the new address',
    cause: 'moved',
  };
}

/** Packets, octets or sequence numbers of the only pair are used up. */
export function usedUp(unit: LifetimeUnit): Failure {
  return {
    step: 'rekey',
    reason: `the ${unit === 'sequence' ? 'sequence numbers' : unit} of the SA are used up, and the peer made no new one`,
    remedy: 'look for the cause in the log of the peer',
  };
}
