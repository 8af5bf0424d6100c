/** Published test vectors, octets in hexadecimal. */

/** RFC 3602 section 4. */
export const AES_CBC = [
  {
    case: 1,
    key: '06a9214036b8a15b512e03d534120006',
    iv: '3dafba429d9eb430b422da802c9fac41',
    plaintext: '53696e676c6520626c6f636b206d7367',
    ciphertext: 'e353779c1079aeb82708942dbe77181a',
  },
  {
    case: 2,
    key: 'c286696d887c9aa0611bbb3e2025a45a',
    iv: '562e17996d093d28ddb3ba695a2e6f58',
    plaintext: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    ciphertext: 'd296cd94c2cccf8a3a863028b5e1dc0a7586602d253cfff91b8266bea6d61ab1',
  },
  {
    case: 3,
    key: '6c3ea0477630ce21a2ce334aa746c2cd',
    iv: 'c782dc4c098c66cbd9cd27d825682c81',
    plaintext: '5468697320697320612034382d62797465206d657373616765202865786163746c7920332041455320626c6f636b7329',
    ciphertext: 'd0a02b3836451753d493665d33f0e8862dea54cdb293abc7506939276772f8d5021c19216bad525c8579695d83ba2684',
  },
  {
    case: 4,
    key: '56e47a38c5598974bc46903dba290349',
    iv: '8ce82eefbea0da3c44699ed7db51b7d9',
    plaintext: [
      'a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf',
      'd0d1d2d3d4d5d6d7d8d9dadbdcdddedf',
    ].join(''),
    ciphertext: [
      'c30e32ffedc0774e6aff6af0869f71aa0f3af07a9a31a9c684db207eb0ef8e4e35907aa632c3ffdf868bb7b29d3d46ad',
      '83ce9f9a102ee99d49a53e87f4c3da55',
    ].join(''),
  },
] as const;

/** RFC 3686 section 6; the nonce follows the key. */
export const AES_CTR = [
  {
    case: 1,
    name: 'aes128ctr',
    key: 'ae6852f8121067cc4bf7a5765577f39e00000030',
    iv: '0000000000000000',
    plaintext: '53696e676c6520626c6f636b206d7367',
    ciphertext: 'e4095d4fb7a7b3792d6175a3261311b8',
  },
  {
    case: 2,
    name: 'aes128ctr',
    key: '7e24067817fae0d743d6ce1f32539163006cb6db',
    iv: 'c0543b59da48d90b',
    plaintext: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    ciphertext: '5104a106168a72d9790d41ee8edad388eb2e1efc46da57c8fce630df9141be28',
  },
  {
    case: 3,
    name: 'aes128ctr',
    key: '7691be035e5020a8ac6e618529f9a0dc00e0017b',
    iv: '27777f3f4a1786f0',
    plaintext: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223',
    ciphertext: 'c1cf48a89f2ffdd9cf4652e9efdb72d74540a42bde6d7836d59a5ceaaef3105325b2072f',
  },
  {
    case: 4,
    name: 'aes192ctr',
    key: '16af5b145fc9f579c175f93e3bfb0eed863d06ccfdb7851500000048',
    iv: '36733c147d6d93cb',
    plaintext: '53696e676c6520626c6f636b206d7367',
    ciphertext: '4b55384fe259c9c84e7935a003cbe928',
  },
  {
    case: 5,
    name: 'aes192ctr',
    key: '7c5cb2401b3dc33c19e7340819e0f69c678c3db8e6f6a91a0096b03b',
    iv: '020c6eadc2cb500d',
    plaintext: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    ciphertext: '453243fc609b23327edfaafa7131cd9f8490701c5ad4a79cfc1fe0ff42f4fb00',
  },
  {
    case: 6,
    name: 'aes192ctr',
    key: '02bf391ee8ecb159b959617b0965279bf59b60a786d3e0fe0007bdfd',
    iv: '5cbd60278dcc0912',
    plaintext: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223',
    ciphertext: '96893fc55e5c722f540b7dd1ddf7e758d288bc95c69165884536c811662f2188abee0935',
  },
  {
    case: 7,
    name: 'aes256ctr',
    key: '776beff2851db06f4c8a0542c8696f6c6a81af1eec96b4d37fc1d689e6c1c10400000060',
    iv: 'db5672c97aa8f0b2',
    plaintext: '53696e676c6520626c6f636b206d7367',
    ciphertext: '145ad01dbf824ec7560863dc71e3e0c0',
  },
  {
    case: 8,
    name: 'aes256ctr',
    key: 'f6d66d6bd52d59bb0796365879eff886c66dd51a5b6a99744b50590c87a2388400faac24',
    iv: 'c1585ef15a43d875',
    plaintext: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f',
    ciphertext: 'f05e231b3894612c49ee000b804eb2a9b8306b508f839d6a5530831d9344af1c',
  },
  {
    case: 9,
    name: 'aes256ctr',
    key: 'ff7a617ce69148e4f1726e2f43581de2aa62d9f805532edff1eed687fb54153d001cc5b7',
    iv: '51a51d70a1c11148',
    plaintext: '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223',
    ciphertext: 'eb6c52821d0bbbf7ce7594462aca4faab407df866569fd07f48cc0b583d6071f1ec0e6b8',
  },
] as const;

/** Cases 4, 10 and 16 of the GCM specification submitted to NIST, to which RFC 4106 section 9 refers. */
const GCM_KEY = 'feffe9928665731c6d6a8f9467308308';
export const AES_GCM = {
  salt: 'cafebabe',
  iv: 'facedbaddecaf888',
  associated: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
  plaintext: [
    'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72',
    '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39',
  ].join(''),
  cases: [
    {
      bits: 128,
      key: GCM_KEY,
      ciphertext: [
        '42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e',
        '21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091',
      ].join(''),
      tag: '5bc94fbc3221a5db94fae95ae7121a47',
    },
    {
      bits: 192,
      key: `${GCM_KEY}feffe9928665731c`,
      ciphertext: [
        '3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c',
        '7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710',
      ].join(''),
      tag: '2519498e80f1478f37ba55bd6d27618c',
    },
    {
      bits: 256,
      key: `${GCM_KEY}${GCM_KEY}`,
      ciphertext: [
        '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa',
        '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662',
      ].join(''),
      tag: '76fc6ece0f4e1768cddf8853bb2d551b',
    },
  ],
} as const;

/** ChaCha20-Poly1305: key with salt, IV, and what is sealed. */
export const CHACHA20_POLY1305 = [
  {
    source: 'RFC 8439 section 2.8.2',
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f07000000',
    iv: '4041424344454647',
    associated: '50515253c0c1c2c3c4c5c6c7',
    plaintext: [
      '4c616469657320616e642047656e746c656d656e206f662074686520636c6173',
      '73206f66202739393a204966204920636f756c64206f6666657220796f75206f',
      '6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73',
      '637265656e20776f756c642062652069742e',
    ].join(''),
    sealed: [
      'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6',
      '3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36',
      '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc',
      '3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
    ].join(''),
  },
  {
    source: 'RFC 7634 appendix A',
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3',
    iv: '1011121314151617',
    associated: '0102030400000005',
    plaintext: [
      '45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10',
      '0007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223',
      '2425262728292a2b2c2d2e2f303132333435363701020204',
    ].join(''),
    sealed: [
      '24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6',
      '14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3',
      'cbec163fac469b502773f6fb94e664da9165b82829f641e076aaa8266b7fb0f7',
      'b11b369907e1ad43',
    ].join(''),
  },
  {
    source: 'RFC 7634 appendix B',
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3',
    iv: '1011121314151617',
    associated: 'c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029',
    plaintext: '0000000c000040010000000a00',
    sealed: '610394701f8d017f7c129248896b71bfe25236efd7cdc67066906315b2',
  },
] as const;
