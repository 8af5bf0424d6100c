import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { simulatedTunWorld } from './contract/simulated-worlds.ts';
import { tunContract } from './contract/tun.ts';
import { linuxTunCases } from './linux/tun-cases.ts';

describeSimulated(tunContract, simulatedTunWorld);
describeOnLinux(tunContract);
describeOnLinux(linuxTunCases);
