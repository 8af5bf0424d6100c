import { packetSocketContract } from './contract/packet-socket.ts';
import { simulatedPacketSocketWorld } from './contract/packet-socket-worlds.ts';
import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { linuxPacketSocketCases } from './linux/packet-socket-cases.ts';

describeSimulated(packetSocketContract, simulatedPacketSocketWorld);
describeOnLinux(packetSocketContract);
describeOnLinux(linuxPacketSocketCases);
