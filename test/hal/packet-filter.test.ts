import { packetFilterContract } from './contract/packet-filter.ts';
import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { simulatedPacketFilterWorld } from './contract/simulated-worlds.ts';

describeSimulated(packetFilterContract, simulatedPacketFilterWorld);
describeOnLinux(packetFilterContract);
