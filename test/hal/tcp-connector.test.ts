import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { simulatedTcpWorld } from './contract/simulated-worlds.ts';
import { tcpConnectorContract } from './contract/tcp-connector.ts';
import { linuxTcpCases } from './linux/tcp-cases.ts';

describeSimulated(tcpConnectorContract, simulatedTcpWorld);
describeOnLinux(tcpConnectorContract);
describeOnLinux(linuxTcpCases);
