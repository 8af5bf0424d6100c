import { ahSocketContract } from './contract/ah-socket.ts';
import { espSocketContract } from './contract/esp-socket.ts';
import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { simulatedUdpWorld } from './contract/simulated-worlds.ts';
import { linuxEspCases } from './linux/esp-cases.ts';

describeSimulated(espSocketContract, simulatedUdpWorld);
describeOnLinux(espSocketContract);
describeOnLinux(linuxEspCases);
describeSimulated(ahSocketContract, simulatedUdpWorld);
describeOnLinux(ahSocketContract);
