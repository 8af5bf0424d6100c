import { entropyContract } from './contract/entropy.ts';
import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { simulatedEntropyWorld } from './contract/simulated-worlds.ts';

describeSimulated(entropyContract, simulatedEntropyWorld);
describeOnLinux(entropyContract);
