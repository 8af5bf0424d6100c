import { packetCaptureContract } from './contract/packet-capture.ts';
import { describeOnLinux, describeSimulated } from './contract/run.ts';
import { simulatedPacketCaptureWorld } from './contract/simulated-worlds.ts';
import { linuxPacketCaptureCases } from './linux/packet-capture-cases.ts';

describeSimulated(packetCaptureContract, simulatedPacketCaptureWorld);
describeOnLinux(packetCaptureContract);
describeOnLinux(linuxPacketCaptureCases);
