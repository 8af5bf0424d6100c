import { clockContract } from './contract/clock.ts';
import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { simulatedClockWorld } from './contract/simulated-worlds.ts';

describeSimulated(clockContract, simulatedClockWorld);
describeOnLinux(clockContract);
