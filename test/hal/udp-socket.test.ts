import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { simulatedUdpWorld } from './contract/simulated-worlds.ts';
import { udpSocketContract } from './contract/udp-socket.ts';
import { linuxUdpCases } from './linux/udp-cases.ts';

describeSimulated(udpSocketContract, simulatedUdpWorld);
describeOnLinux(udpSocketContract);
describeOnLinux(linuxUdpCases);
