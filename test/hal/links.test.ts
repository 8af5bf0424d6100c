import { linksContract } from './contract/links.ts';
import { multipathContract } from './contract/multipath.ts';
import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { simulatedLinksWorld } from './contract/simulated-worlds.ts';

describeSimulated(linksContract, simulatedLinksWorld);
describeOnLinux(linksContract);

describeSimulated(multipathContract, simulatedLinksWorld);
describeOnLinux(multipathContract);
