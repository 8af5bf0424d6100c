/** What DSL modems print, in the form in which they print it; all numbers are made up. */

interface Numbers {
  readonly upHours: number;
  readonly retrains: number;
  readonly reason: string;
}

/** `xdslctl info --stats` of a VDSL2 line that is up. */
export function broadcomShowtime({ upHours, retrains, reason }: Numbers): string {
  return `xdslctl: ADSL driver and PHY status
Status: Showtime
Last Retrain Reason:\t${reason}
Last initialization procedure status:\t0
Max:\tUpstream rate = 7215 Kbps, Downstream rate = 38904 Kbps
Bearer:\t0, Upstream rate = 5517 Kbps, Downstream rate = 31829 Kbps
Bearer:\t1, Upstream rate = 0 Kbps, Downstream rate = 0 Kbps

Link Power State:\tL0
Mode:\t\t\tVDSL2 Annex B
VDSL2 Profile:\t\tProfile 17a
TPS-TC:\t\t\tPTM Mode(0x0)
Trellis:\t\tU:ON /D:ON
Line Status:\t\tNo Defect
Training Status:\tShowtime
\t\tDown\t\tUp
SNR (dB):\t 6.4\t\t 8.1
Attn(dB):\t 24.3\t\t 0.0
Pwr(dBm):\t 12.7\t\t-5.2

\t\t\tVDSL2 framing
\t\t\tBearer 0
MSGc:\t\t-6\t\t26
B:\t\t33\t\t237
M:\t\t1\t\t1
R:\t\t0\t\t16

\t\t\tCounters
\t\t\tBearer 0
OHF:\t\t0\t\t190352
OHFErr:\t\t14\t\t2
RS:\t\t0\t\t1733421
RSCorr:\t\t0\t\t45
RSUnCorr:\t0\t\t0

Bit Errors:\t0\t\t0

ES:\t\t12\t\t9
SES:\t\t0\t\t0
UAS:\t\t41\t\t41
AS:\t\t${upHours * 3600}

Total time = 2 days 3 hours 41 min 12 sec
FEC:\t\t90311\t\t45
CRC:\t\t14\t\t2
ES:\t\t12\t\t9
SES:\t\t1\t\t0
UAS:\t\t41\t\t40
LOS:\t\t0\t\t0
LOF:\t\t0\t\t0
LOM:\t\t0\t\t0
Retr:\t\t${retrains}
HostInitRetr:\t0
FailedRetr:\t0
Latest 15 minutes time = 11 min 12 sec
FEC:\t\t120\t\t0
CRC:\t\t0\t\t0
ES:\t\t0\t\t0
SES:\t\t0\t\t0
UAS:\t\t0\t\t0
Since Link time = ${upHours} hours 7 sec
FEC:\t\t44120\t\t20
CRC:\t\t3\t\t1
ES:\t\t3\t\t1
SES:\t\t0\t\t0
UAS:\t\t0\t\t0
`;
}

/** The same modem while it trains: rates and levels are left from before. */
export const BROADCOM_TRAINING = `xdslctl: ADSL driver and PHY status
Status: G.994 Training
Last Retrain Reason:\t2
Last initialization procedure status:\t0
Max:\tUpstream rate = 7215 Kbps, Downstream rate = 38904 Kbps
Bearer:\t0, Upstream rate = 5517 Kbps, Downstream rate = 31829 Kbps

Total time = 2 days 3 hours 44 min 2 sec
FEC:\t\t90311\t\t45
CRC:\t\t14\t\t2
ES:\t\t12\t\t9
SES:\t\t1\t\t0
UAS:\t\t71\t\t70
`;

export const BROADCOM_IDLE = `xdslctl: ADSL driver and PHY status
Status: Idle
Last Retrain Reason:\t8000
`;

/** `dsl_cpe_pipe.sh`, by its arguments. */
export const LANTIQ_PIPE: Readonly<Record<string, string>> = {
  lsg: 'nReturn=0 nLineState=0x801',
  'g997csg 0 0':
    'nReturn=0 nChannel=0 nDirection=0 ActualDataRate=10048000 PreviousDataRate=0 ActualInterleaveDelay=0 ActualImpulseNoiseProtection=0',
  'g997csg 0 1':
    'nReturn=0 nChannel=0 nDirection=1 ActualDataRate=51392000 PreviousDataRate=0 ActualInterleaveDelay=0 ActualImpulseNoiseProtection=0',
  'g997lsg 0 1': 'nReturn=0 nDirection=0 nDeltDataType=1 LATN=86 SATN=81 SNR=145 ATTNDR=27816000 ACTPS=-901 ACTATP=-46',
  'g997lsg 1 1':
    'nReturn=0 nDirection=1 nDeltDataType=1 LATN=172 SATN=169 SNR=92 ATTNDR=68012000 ACTPS=-901 ACTATP=142',
  'pmlsctg 0': 'nReturn=0 nDirection=0 nElapsedTime=3610 bValid=1 nES=4 nSES=1 nLOSS=0 nUAS=31 nLOFS=0',
  'pmlsctg 1': 'nReturn=0 nDirection=1 nElapsedTime=3610 bValid=1 nES=2 nSES=0 nLOSS=0 nUAS=31 nLOFS=0',
};

/** `ubus call dsl metrics` of OpenWrt. */
export const LANTIQ_METRICS = `{
\t"api_version": "4.17.18.6",
\t"firmware_version": "5.7.9.9.0.6",
\t"chipset": "Lantiq-VRX200",
\t"driver_version": "1.5.17.6",
\t"state": "Showtime with TC-Layer sync",
\t"state_num": 7,
\t"up": true,
\t"uptime": 86423,
\t"power_state": "L0 - Synchronized",
\t"annex": "B",
\t"standard": "G.993.2",
\t"profile": "17a",
\t"mode": "G.993.2 (VDSL2, Profile 17a)",
\t"upstream": {
\t\t"vector": false, "trellis": true, "bitswap": true, "retx": false,
\t\t"interleave_delay": 0, "inp": 0.0, "data_rate": 10048000,
\t\t"latn": 8.6, "satn": 8.1, "snr": 14.5, "actps": -90.1, "actatp": -4.6, "attndr": 27816000
\t},
\t"downstream": {
\t\t"vector": false, "trellis": true, "bitswap": true, "retx": false,
\t\t"interleave_delay": 0, "inp": 0.0, "data_rate": 51392000,
\t\t"latn": 17.2, "satn": 16.9, "snr": 9.2, "actps": -90.1, "actatp": 14.2, "attndr": 68012000
\t},
\t"errors": {
\t\t"near": { "es": 4, "ses": 1, "loss": 0, "uas": 31, "lofs": 0, "fecs": 812, "hec": 0, "cv_p": 7 },
\t\t"far": { "es": 2, "ses": 0, "loss": 0, "uas": 31, "lofs": 0, "fecs": 90, "hec": 0, "cv_p": 3 }
\t}
}
`;

/** A modem in an SFP module. */
export const SFP_STATUS = `Link Status: SHOWTIME
Line Mode: VDSL2
Profile: 17a
Up Time: 7200
DS Rate: 49998 kbps
US Rate: 10 Mbps
DS Attainable Rate: 61200 kbps
DS SNR Margin: 8.5 dB
US SNR Margin: 7.9 dB
DS Attenuation: 16.1 dB
US TX Power: -3.5 dBm
DS CRC: 5
US ES: 3
`;
