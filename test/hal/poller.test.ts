import { pollerContract } from './contract/poller.ts';
import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { simulatedPollerWorld } from './contract/simulated-worlds.ts';
import { linuxPollerCases } from './linux/poller-cases.ts';

describeSimulated(pollerContract, simulatedPollerWorld);
describeOnLinux(pollerContract);
describeOnLinux(linuxPollerCases);
