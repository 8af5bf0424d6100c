/** Key exchanges inside CREATE_CHILD_SA (RFC 7296 sections 1.3 and 2.17). */
import { ByteReader, ByteWriter, DecodeError } from '../../bytes.ts';
import type { RandomSource } from '../../machine.ts';
import { createKeyExchange, type KeyExchange } from '../crypto/dh.ts';
import { findNotify, type NotifyPayload, notify } from './notify.ts';
import type { Payload, PayloadOf } from './payload.ts';
import { groupName, groupNumber } from './sa-payload.ts';

/** Our public value on the wire. */
export function kePayload({ group, publicValue }: KeyExchange): PayloadOf<'KE'> {
  return { kind: 'KE', group: groupNumber(group), data: publicValue };
}

/** The group that INVALID_KE_PAYLOAD asks for, where it is one of those offered. */
export function wantedGroup(
  payloads: readonly Payload[],
  offered: readonly (string | undefined)[],
): string | undefined {
  const data = findNotify(payloads, 'INVALID_KE_PAYLOAD')?.data;
  const group = data?.length === 2 ? groupName(new ByteReader(data).u16('group')) : undefined;
  return group !== undefined && offered.includes(group) ? group : undefined;
}

export function invalidKe(group: string): NotifyPayload {
  return notify('INVALID_KE_PAYLOAD', new ByteWriter(2).u16(groupNumber(group)).finish());
}

/** As responder: our public value and what both sides know. @throws DecodeError when the peer's value is none. */
export function answerKe(
  ke: PayloadOf<'KE'>,
  random: RandomSource,
): { readonly payload: PayloadOf<'KE'>; readonly sharedSecret: Uint8Array } {
  const group = groupName(ke.group);
  if (group === undefined) throw new DecodeError(`unknown group ${ke.group}`);
  const exchange = createKeyExchange(group, random);
  try {
    return { payload: kePayload(exchange), sharedSecret: exchange.sharedSecret(ke.data) };
  } finally {
    exchange.destroy();
  }
}

/** As initiator: what both sides know; `undefined` when the peer's value is none. */
export function finishKe(exchange: KeyExchange, ke: PayloadOf<'KE'> | undefined): Uint8Array | undefined {
  try {
    if (ke === undefined || ke.group !== groupNumber(exchange.group)) return undefined;
    return exchange.sharedSecret(ke.data);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return undefined;
  } finally {
    exchange.destroy();
  }
}
