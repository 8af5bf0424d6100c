import { linkSpeedContract } from './contract/link-speed.ts';
import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { simulatedLinkSpeedWorld } from './contract/simulated-worlds.ts';

describeSimulated(linkSpeedContract, simulatedLinkSpeedWorld);
describeOnLinux(linkSpeedContract);
