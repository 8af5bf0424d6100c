import { icmpSocketContract } from './contract/icmp-socket.ts';
import { simulatedIcmpWorld } from './contract/icmp-worlds.ts';
import { describeOnLinux, describeSimulated } from './contract/run.ts';

describeSimulated(icmpSocketContract, simulatedIcmpWorld);
describeOnLinux(icmpSocketContract);
