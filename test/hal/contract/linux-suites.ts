/** Every suite that runs in a network namespace of its own. */
import { capabilityCases } from '../linux/capability-cases.ts';
import { linuxEspCases } from '../linux/esp-cases.ts';
import { linuxPacketCaptureCases } from '../linux/packet-capture-cases.ts';
import { linuxPacketCaptureWorld } from '../linux/packet-capture-world.ts';
import { linuxPacketSocketCases } from '../linux/packet-socket-cases.ts';
import { linuxPollerCases } from '../linux/poller-cases.ts';
import { portOwnerCases } from '../linux/port-owner-cases.ts';
import { linuxSerialCases } from '../linux/serial-cases.ts';
import { linuxTcpCases } from '../linux/tcp-cases.ts';
import { linuxTunCases } from '../linux/tun-cases.ts';
import { linuxUdpCases } from '../linux/udp-cases.ts';
import { ahSocketContract } from './ah-socket.ts';
import { carrierSenseContract } from './carrier-sense.ts';
import { clockContract } from './clock.ts';
import { type Suite, suiteOf } from './contract.ts';
import { entropyContract } from './entropy.ts';
import { espSocketContract } from './esp-socket.ts';
import { ethernetSocketContract } from './ethernet-socket.ts';
import { icmpSocketContract } from './icmp-socket.ts';
import { linuxIcmpWorld } from './icmp-worlds.ts';
import { linkSpeedContract } from './link-speed.ts';
import { linksContract } from './links.ts';
import {
  linuxCarrierSenseWorld,
  linuxClockWorld,
  linuxEntropyWorld,
  linuxLinkSpeedWorld,
  linuxLinksWorld,
  linuxNetworkEventsWorld,
  linuxPacketFilterWorld,
  linuxPollerWorld,
  linuxSerialWorld,
  linuxTcpWorld,
  linuxTunWorld,
  linuxUdpWorld,
} from './linux-worlds.ts';
import { multipathContract } from './multipath.ts';
import { networkEventsContract } from './network-events.ts';
import { packetCaptureContract } from './packet-capture.ts';
import { packetFilterContract } from './packet-filter.ts';
import { packetSocketContract } from './packet-socket.ts';
import { linuxEthernetWorld, linuxPacketSocketWorld } from './packet-socket-worlds.ts';
import { pollerContract } from './poller.ts';
import { serialPortContract } from './serial-port.ts';
import { tcpConnectorContract } from './tcp-connector.ts';
import { tunContract } from './tun.ts';
import { udpSocketContract } from './udp-socket.ts';

export const linuxSuites: readonly Suite[] = [
  suiteOf(clockContract, linuxClockWorld),
  suiteOf(carrierSenseContract, linuxCarrierSenseWorld),
  suiteOf(linkSpeedContract, linuxLinkSpeedWorld),
  suiteOf(entropyContract, linuxEntropyWorld),
  suiteOf(linksContract, linuxLinksWorld),
  suiteOf(multipathContract, linuxLinksWorld),
  suiteOf(packetFilterContract, linuxPacketFilterWorld),
  suiteOf(networkEventsContract, linuxNetworkEventsWorld),
  suiteOf(packetCaptureContract, linuxPacketCaptureWorld),
  suiteOf(linuxPacketCaptureCases, linuxPacketCaptureWorld),
  suiteOf(packetSocketContract, linuxPacketSocketWorld),
  suiteOf(linuxPacketSocketCases, linuxPacketSocketWorld),
  suiteOf(ethernetSocketContract, linuxEthernetWorld),
  suiteOf(icmpSocketContract, linuxIcmpWorld),
  suiteOf(pollerContract, linuxPollerWorld),
  suiteOf(tcpConnectorContract, linuxTcpWorld),
  suiteOf(linuxTcpCases, linuxTcpWorld),
  suiteOf(serialPortContract, linuxSerialWorld),
  suiteOf(linuxSerialCases, linuxSerialWorld),
  suiteOf(tunContract, linuxTunWorld),
  suiteOf(udpSocketContract, linuxUdpWorld),
  suiteOf(linuxUdpCases, linuxUdpWorld),
  suiteOf(espSocketContract, linuxUdpWorld),
  suiteOf(linuxEspCases, linuxUdpWorld),
  suiteOf(ahSocketContract, linuxUdpWorld),
  suiteOf(portOwnerCases, linuxUdpWorld),
  suiteOf(linuxTunCases, linuxTunWorld),
  suiteOf(linuxPollerCases, linuxPollerWorld),
  suiteOf(capabilityCases, linuxUdpWorld),
];
