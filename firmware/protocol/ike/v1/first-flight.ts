import type { FirstFlight } from '../profiles/recognition.ts';
import { PayloadType } from './numbers.ts';
import { bodiesOf, type Payload } from './payload.ts';
import { phase1Offers } from './phase1-transforms.ts';

/**
 * What the first message of a peer says of its sender.
 * @throws DecodeError when its SA payload is malformed.
 */
export function firstFlightOf(payloads: readonly Payload[], role: FirstFlight['role']): FirstFlight {
  const [sa] = bodiesOf(payloads, PayloadType.sa);
  const offers = sa === undefined ? [] : phase1Offers(sa);
  const lifetime = offers[0]?.lifetime;
  return {
    version: 1,
    role,
    vendorIds: bodiesOf(payloads, PayloadType.vendorId),
    offers: offers.map(({ offer }) => offer),
    ...(lifetime === undefined ? {} : { lifetime }),
  };
}
