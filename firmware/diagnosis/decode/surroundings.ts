/** What the layers of the decoder hand down to one another. */
import type { DecodedBody, MessagePlace } from './decoded.ts';
import type { Octets } from './field-reader.ts';

/** Where octets come from, and where what is said of them goes. */
export interface Surroundings {
  readonly place: MessagePlace;
  /** Tells apart what came through different channels, such as SAs: addresses inside them mean nothing outside. */
  readonly link: string;
  /** Say something of the message. */
  readonly emit: (body: DecodedBody) => void;
  /** An IP packet that was found inside. */
  readonly inner: (packet: Octets) => void;
}
