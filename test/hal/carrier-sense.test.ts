import { carrierSenseContract } from './contract/carrier-sense.ts';
import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { simulatedCarrierSenseWorld } from './contract/simulated-worlds.ts';

describeSimulated(carrierSenseContract, simulatedCarrierSenseWorld);
describeOnLinux(carrierSenseContract);
