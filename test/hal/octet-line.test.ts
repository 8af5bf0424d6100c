import { octetLineContract } from './contract/octet-line.ts';
import { linuxOctetLineWorld, simulatedOctetLineWorld } from './contract/octet-line-worlds.ts';
import { describeSimulated } from './contract/run.ts';

describeSimulated(octetLineContract, simulatedOctetLineWorld);
// A pseudo-terminal needs no namespace.
describeSimulated(
  { ...octetLineContract, name: `${octetLineContract.name} on a pseudo-terminal` },
  linuxOctetLineWorld,
);
