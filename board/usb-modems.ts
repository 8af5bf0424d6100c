/** Cellular modems that fit a USB or Mini PCIe socket, by the ids of their serial mode (kernel: drivers/usb/serial/option.c, qcserial.c). */
export const usbModems: readonly string[] = [
  // Quectel EC25 and EG25-G; EC21.
  '2c7c:0125',
  '2c7c:0121',
  // SIMCom SIM7600.
  '1e0e:9001',
  // Sierra Wireless MC7455 and EM7455.
  '1199:9071',
  // Huawei sticks in modem mode.
  '12d1:1506',
];
