import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { serialPortContract } from './contract/serial-port.ts';
import { simulatedSerialWorld } from './contract/simulated-worlds.ts';
import { linuxSerialCases } from './linux/serial-cases.ts';

describeSimulated(serialPortContract, simulatedSerialWorld);
describeOnLinux(serialPortContract);
describeOnLinux(linuxSerialCases);
