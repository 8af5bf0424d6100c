import { ethernetSocketContract } from './contract/ethernet-socket.ts';
import { simulatedEthernetWorld } from './contract/packet-socket-worlds.ts';
import { describeOnLinux, describeSimulated } from './contract/run.ts';

describeSimulated(ethernetSocketContract, simulatedEthernetWorld);
describeOnLinux(ethernetSocketContract);
