import type { LinkSpeed, LinkSpeeds } from '../link-speed.ts';
import { assertInterfaceName } from '../names.ts';
import type { SimulatedLinks } from './links.ts';

/** Of a simulated machine, whose cables all carry the same; loopback has none. */
export class SimulatedLinkSpeeds implements LinkSpeeds {
  readonly #links: SimulatedLinks;
  readonly #speed: LinkSpeed;

  constructor(links: SimulatedLinks, speed: LinkSpeed = { megabits: 1000, fullDuplex: true }) {
    this.#links = links;
    this.#speed = speed;
  }

  read(device: string): LinkSpeed | undefined {
    assertInterfaceName(device);
    return device !== 'lo' && this.#links.carrier(device) === true ? this.#speed : undefined;
  }
}
