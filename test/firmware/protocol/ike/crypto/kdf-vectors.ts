/** Key derivation vectors of NIST's validation of SP 800-135 components, octets in hexadecimal. The prf is HMAC-SHA1. */

/** Section 4.1.1, signature mode: there SKEYID is `prf(Ni_b | Nr_b, g^xy)`. */
export const IKEV1_KDF = {
  nonceI: 'ced5635da6796075',
  nonceR: '6244b427712fb776',
  cookieI: '382e5c8b0a3fa307',
  cookieR: 'ba4b7616700a2413',
  sharedSecret: [
    '2a2e0bbe8da3657a83f3d35826e49e2d38e557e912a1b9e6c30c63577b3eab71',
    '5466202862027f2c26f3090743555579611771db0b92bef93834432a3a7762fc',
    '8a0f4889fd281d6082770d10a40d7bad61e832f041e620d6787e7f62ab2861dd',
    'fbe272e0d9d3cdec5f1bbf750e24b8b32d6d714968ad69ce5086c32ad2742ebc',
  ].join(''),
  skeyid: 'dc37ac99de6dcfbd1ee74af7fb36f9b4b0a7829d',
  skeyidD: '486293ed547adb562cefdaf43d3d8457b196f2b6',
  skeyidA: 'f4053b5ca07e59bb41b8f401037ca90b72b3917e',
  skeyidE: '49a1d53a80fb77e663552964fbbcb45092021473',
} as const;

/** Section 4.1.2. */
export const IKEV2_KDF = {
  nonceI: '3651fef5c9c35e93',
  nonceR: 'c09a8b90a3f04d59',
  spiI: '8e5c3ae507221684',
  spiR: 'b1f201bb155c3acd',
  sharedSecret: [
    'd084a30166a50fb7325c3960874a839449ef9741c2f4f947d0201dd8c1269273',
    'd79509f37e3ca3eb4fa2fe2a28254e289cd3f34dad4eb4df1a07685a4b8a94fa',
    '61e2491f7598b3ce65547ff133b3f63d1ac4175eaa695033f3cedb026a6873a3',
    '6455172a8540b8a5d23a0143bed0390ee49b168269d75fffee9fb62be965993c',
  ].join(''),
  newSharedSecret: [
    '52f00ab174c25d5b7139ae5ff4e8e9eddee5992d2e36adf8a559ffd90dab1442',
    'e4fbe429d320c0f33552a17d1557fa41ea70e8fb916c4fa27ed52b5f8ebd8461',
    'afa78f1159159a64055ac5f6319e29c28eae58cbc6847770f32c3fed1d047504',
    '84f854790f95e9ec01bc5bc461f24966462e359511329305038e94deb6dd42c2',
  ].join(''),
  /** 132 octets: the keys of AES-CBC with 128-bit key, HMAC-SHA1-96 and PRF-HMAC-SHA1. */
  keys: [
    '6f1b12cad3cbe097b35430356d869d54cddb0198',
    'ec859174d53ceb92dddedbe2436db69f60977c58',
    'fa63bbb667f8d36920b109baae8f6c61a9ac49fe',
    'da01843225d080ec5539d5881a25521f',
    'fb2a0a91874a9c0a27fcc2d717eb8963',
    'a9e3a89c7ab264757284c28cf8c3ca40576f4220',
    'b052b1fb8e9ad60ba3c80557323331a8cbb89f20',
  ],
  childKeymat: [
    '4727dc0ef94eb326ce131cf282fb652faa638ad0ddae3786a11bcc0309876009f8c485de',
    '011ad962c5b1ca8a41ff8145445749079c5686e26ffebbc342f06981f3da745e11ca0976',
  ].join(''),
  childKeymatWithSecret: [
    'b109c21ad4c0797768c1cec9e63554681e48f224bca7f23c20c4ea7041983451e9aa1d54',
    '08656c8a975ff1b9d9a12c75ffeb64bdecb30174664cccb4e14f1c377b7f6d1525af77c7',
  ].join(''),
  rekeyedSkeyseed: '3b03bce748c96d5e8306918d2ff89b68f0648da3',
} as const;
