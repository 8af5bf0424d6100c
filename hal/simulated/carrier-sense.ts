import type { CarrierSense, CarrierSenseFactory } from '../carrier-sense.ts';
import { HalError } from '../hal-error.ts';
import { assertInterfaceName } from '../names.ts';
import type { SimulatedLinks } from './links.ts';

/** The carriers of a simulated machine's devices. */
export class SimulatedCarrierSenseFactory implements CarrierSenseFactory {
  readonly #links: SimulatedLinks;

  constructor(links: SimulatedLinks) {
    this.#links = links;
  }

  open(): CarrierSense {
    let closed = false;
    return {
      read: (device) => {
        assertInterfaceName(device);
        if (closed) throw new HalError('The sense of carriers is closed.', 'EBADF');
        return this.#links.carrier(device);
      },
      close: () => {
        closed = true;
      },
    };
  }
}
