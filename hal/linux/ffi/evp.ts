/**
 * OpenSSL's EVP as the Node that runs us exports it. (A libcrypto of the system, loaded beside it, crashes.)
 *
 * Memory goes through as addresses computed once per buffer, because a view per call would be an allocation per packet;
 * {@link Memory} checks each range against its buffer first. A buffer that was transferred away has length 0 and fits
 * nothing. OpenSSL keeps none of these pointers after a call returns.
 */
import './abi.ts';
import koffi from 'koffi';
import { HalError } from '../../hal-error.ts';
import { addressOf } from './libc.ts';

type Call<A extends readonly unknown[]> = (...args: A) => number;
/** An address, 0 for none. User space ends below 2^53 on every supported machine. */
type Pointer = number;

const EVP_CTRL_AEAD_SET_IVLEN = 0x9;
const EVP_CTRL_AEAD_GET_TAG = 0x10;
const EVP_CTRL_AEAD_SET_TAG = 0x11;
/** Leave the direction as it was set (EVP_CipherInit_ex2). */
const UNCHANGED = -1;

/** `OSSL_PARAM` (openssl/core.h), LP64: key, type, data, size of data, size returned. */
const OSSL_PARAM = { size: 40, key: 0, type: 8, data: 16, dataSize: 24, returnSize: 32 } as const;
const OSSL_PARAM_UTF8_STRING = 4;
const OSSL_PARAM_UNMODIFIED = 0xffff_ffff_ffff_ffffn;

/** Largest IV or counter block, octets. */
const MAX_IV = 16;
/** Largest digest (SHA2-512), octets. */
const MAX_DIGEST = 64;

/** What of a koffi library is used here. Looking up a symbol that is missing throws. */
export type SymbolSource = Pick<ReturnType<typeof koffi.load>, 'func'>;

interface Functions {
  readonly fetchCipher: Call<[Pointer, string, Pointer]>;
  readonly newCipher: Call<[]>;
  readonly freeCipher: Call<[Pointer]>;
  readonly initCipher: Call<[Pointer, Pointer, Pointer, Pointer, number, Pointer]>;
  readonly keyCipher: Call<[Pointer, Pointer, Uint8Array, Pointer, number, Pointer]>;
  readonly setPadding: Call<[Pointer, number]>;
  readonly control: Call<[Pointer, number, number, Pointer]>;
  readonly updateCipher: Call<[Pointer, Pointer, Pointer, Pointer, number]>;
  readonly finishCipher: Call<[Pointer, Pointer, Pointer]>;
  readonly fetchMac: Call<[Pointer, string, Pointer]>;
  readonly newMac: Call<[Pointer]>;
  readonly freeMac: Call<[Pointer]>;
  readonly initMac: Call<[Pointer, Pointer, number, Pointer]>;
  readonly keyMac: Call<[Pointer, Uint8Array, number, Uint8Array]>;
  readonly updateMac: Call<[Pointer, Pointer, number]>;
  readonly finishMac: Call<[Pointer, Pointer, Pointer, number]>;
  readonly clearErrors: Call<[]>;
}

/** A buffer whose address is known. */
class Memory {
  #bytes: Uint8Array = new Uint8Array();
  #address: Pointer = 0;

  /** The address of `bytes[at]`, which `length` octets may be read from or written to. */
  pointer(bytes: Uint8Array, at: number, length: number): Pointer {
    if (!Number.isInteger(at) || !Number.isInteger(length) || at < 0 || length < 0 || at + length > bytes.byteLength) {
      throw new RangeError(`${length} octets at ${at} do not fit a buffer of ${bytes.byteLength} octets`);
    }
    if (bytes !== this.#bytes) {
      this.#address = Number(addressOf(bytes));
      this.#bytes = bytes;
    }
    return this.#address + at;
  }
}

/** Octets of our own that stay where they are, for as long as the object lives. */
class Scratch {
  readonly octets: Uint8Array;
  readonly #memory = new Memory();

  constructor(length: number) {
    // A buffer handed in is never on V8's moving heap.
    this.octets = new Uint8Array(new ArrayBuffer(length));
  }

  pointer(length: number): Pointer {
    return this.#memory.pointer(this.octets, 0, length);
  }
}

/** EVP_CIPHER_CTX with its key set. One per SA; each packet brings its IV only. Text is never padded here. */
export class EvpCipher {
  /** Written by the caller before {@link start}: the nonce, IV or counter block, `ivOctets` of it. */
  readonly iv = new Uint8Array(new ArrayBuffer(MAX_IV));
  readonly #functions: Functions;
  readonly #name: string;
  readonly #ivOctets: number;
  readonly #ivMemory = new Memory();
  readonly #packet = new Memory();
  readonly #associated = new Memory();
  /** `int *outl` of every call. */
  readonly #written = new Scratch(4);
  readonly #writtenView = new DataView(this.#written.octets.buffer);
  /** What is left in EVP_CipherFinal_ex: nothing, but it wants a place. */
  readonly #rest = new Scratch(MAX_IV);
  #context: Pointer;

  /** @throws HalError when OpenSSL does not know the cipher or refuses the key. */
  constructor(
    functions: Functions,
    cipher: Pointer,
    options: {
      readonly name: string;
      readonly key: Uint8Array;
      readonly ivOctets: number;
      readonly encrypt: boolean;
      /** Length of the tag, for CCM, which must know it and the length of the nonce before the key. */
      readonly ccmTagOctets?: number;
    },
  ) {
    this.#functions = functions;
    this.#name = options.name;
    this.#ivOctets = options.ivOctets;
    this.#context = functions.newCipher();
    if (this.#context === 0) throw new HalError('OpenSSL has no memory for a cipher: end other programs.', 'ENOMEM');
    try {
      const direction = options.encrypt ? 1 : 0;
      this.#must(functions.initCipher(this.#context, cipher, 0, 0, direction, 0));
      if (options.ccmTagOctets !== undefined) {
        this.#must(functions.control(this.#context, EVP_CTRL_AEAD_SET_IVLEN, options.ivOctets, 0));
        this.#must(functions.control(this.#context, EVP_CTRL_AEAD_SET_TAG, options.ccmTagOctets, 0));
      }
      this.#must(functions.keyCipher(this.#context, 0, options.key, 0, UNCHANGED, 0));
      this.#must(functions.setPadding(this.#context, 0));
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** Begins a packet with the nonce in {@link iv}. */
  start(): void {
    const iv = this.#ivMemory.pointer(this.iv, 0, this.#ivOctets);
    this.#must(this.#functions.initCipher(this.#live(), 0, 0, iv, UNCHANGED, 0));
  }

  /** CCM wants to know the length of the text before the associated data. */
  declareLength(length: number): void {
    const written = this.#written.pointer(4);
    this.#must(this.#functions.updateCipher(this.#live(), 0, written, 0, length));
  }

  /** Authenticates `bytes[at..at+length)`, which are not encrypted. */
  associate(bytes: Uint8Array, at: number, length: number): void {
    const from = this.#associated.pointer(bytes, at, length);
    this.#must(this.#functions.updateCipher(this.#live(), 0, this.#written.pointer(4), from, length));
  }

  /**
   * Encrypts or decrypts `bytes[at..at+length)` in place, whole blocks at once.
   * @returns false when CCM finds the tag wrong, which it tells here already.
   */
  update(bytes: Uint8Array, at: number, length: number): boolean {
    const text = this.#packet.pointer(bytes, at, length);
    const done = this.#functions.updateCipher(this.#live(), text, this.#written.pointer(4), text, length);
    if (done === 1 && this.#writtenView.getInt32(0, true) === length) return true;
    this.#functions.clearErrors();
    return false;
  }

  /** Ends a packet of a combined mode. @returns false when the tag is wrong. */
  finish(): boolean {
    const done = this.#functions.finishCipher(this.#live(), this.#rest.pointer(MAX_IV), this.#written.pointer(4));
    // Errors left in the queue would be taken for their own by whatever of node:crypto runs next in this thread.
    if (done !== 1) this.#functions.clearErrors();
    return done === 1;
  }

  /** Writes the tag to `bytes[at..at+length)`, after {@link finish}. */
  readTag(bytes: Uint8Array, at: number, length: number): void {
    const to = this.#packet.pointer(bytes, at, length);
    this.#must(this.#functions.control(this.#live(), EVP_CTRL_AEAD_GET_TAG, length, to));
  }

  /** The tag that {@link finish}, or with CCM {@link update}, is to find. */
  expectTag(bytes: Uint8Array, at: number, length: number): void {
    const from = this.#packet.pointer(bytes, at, length);
    this.#must(this.#functions.control(this.#live(), EVP_CTRL_AEAD_SET_TAG, length, from));
  }

  /** OpenSSL wipes the key. Harmless when repeated. */
  free(): void {
    if (this.#context !== 0) this.#functions.freeCipher(this.#context);
    this.#context = 0;
    this.iv.fill(0);
  }

  /** A context that was freed must never reach OpenSSL again. */
  #live(): Pointer {
    if (this.#context === 0) throw new Error('the cipher was closed');
    return this.#context;
  }

  #must(returned: number): void {
    if (returned > 0) return;
    this.#functions.clearErrors();
    throw new HalError(`OpenSSL refused to run ${this.#name}: choose another algorithm.`, 'EINVAL');
  }
}

/** EVP_MAC_CTX of HMAC with its key set, used again for each packet. */
export class EvpHmac {
  /** Where {@link finish} leaves the digest. */
  readonly digest: Uint8Array;
  readonly #functions: Functions;
  readonly #packet = new Memory();
  readonly #digest = new Scratch(MAX_DIGEST);
  readonly #written = new Scratch(8);
  #context: Pointer;

  /** @throws HalError when OpenSSL does not know the digest. */
  constructor(functions: Functions, mac: Pointer, digest: string, key: Uint8Array) {
    this.#functions = functions;
    this.digest = this.#digest.octets;
    this.#context = functions.newMac(mac);
    if (this.#context === 0) throw new HalError('OpenSSL has no memory for an HMAC: end other programs.', 'ENOMEM');
    try {
      this.#must(functions.keyMac(this.#context, key, key.length, digestParameter(digest)));
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** Begins a packet with the key of before. */
  start(): void {
    this.#must(this.#functions.initMac(this.#live(), 0, 0, 0));
  }

  update(bytes: Uint8Array, at: number, length: number): void {
    this.#must(this.#functions.updateMac(this.#live(), this.#packet.pointer(bytes, at, length), length));
  }

  /** Writes the whole digest to {@link digest}. */
  finish(): void {
    const to = this.#digest.pointer(MAX_DIGEST);
    this.#must(this.#functions.finishMac(this.#live(), to, this.#written.pointer(8), MAX_DIGEST));
  }

  /** OpenSSL wipes the key. Harmless when repeated. */
  free(): void {
    if (this.#context !== 0) this.#functions.freeMac(this.#context);
    this.#context = 0;
    this.digest.fill(0);
  }

  #live(): Pointer {
    if (this.#context === 0) throw new Error('the HMAC was closed');
    return this.#context;
  }

  #must(returned: number): void {
    if (returned > 0) return;
    this.#functions.clearErrors();
    throw new HalError('OpenSSL refused to run an HMAC: choose another algorithm.', 'EINVAL');
  }
}

/** The list `{ "digest": name }`, in one piece with the strings that it points to. */
function digestParameter(name: string): Uint8Array {
  // The second entry, all zeros, ends the list.
  const keyAt = 2 * OSSL_PARAM.size;
  const valueAt = keyAt + 8;
  const octets = Buffer.from(new ArrayBuffer(valueAt + name.length + 1));
  octets.write('digest', keyAt);
  octets.write(name, valueAt);
  const base = addressOf(octets);
  octets.writeBigUInt64LE(base + BigInt(keyAt), OSSL_PARAM.key);
  octets.writeUInt32LE(OSSL_PARAM_UTF8_STRING, OSSL_PARAM.type);
  octets.writeBigUInt64LE(base + BigInt(valueAt), OSSL_PARAM.data);
  octets.writeBigUInt64LE(BigInt(name.length), OSSL_PARAM.dataSize);
  octets.writeBigUInt64LE(OSSL_PARAM_UNMODIFIED, OSSL_PARAM.returnSize);
  return octets;
}

/** The library: makes contexts of algorithms that are looked up once. */
export class Evp {
  readonly #functions: Functions;
  readonly #ciphers = new Map<string, Pointer>();
  readonly #hmac: Pointer;

  /** @throws Error when a symbol is missing. */
  constructor(library: SymbolSource) {
    this.#functions = bind(library);
    this.#hmac = this.#functions.fetchMac(0, 'HMAC', 0);
    if (this.#hmac === 0) throw new HalError('OpenSSL has no HMAC: use another build of Node.', 'ENOSYS');
  }

  /** @throws HalError when OpenSSL does not know the cipher. */
  cipher(options: ConstructorParameters<typeof EvpCipher>[2]): EvpCipher {
    return new EvpCipher(this.#functions, this.#fetch(options.name), options);
  }

  /** @throws HalError when OpenSSL does not know the digest. */
  hmac(digest: string, key: Uint8Array): EvpHmac {
    return new EvpHmac(this.#functions, this.#hmac, digest, key);
  }

  #fetch(name: string): Pointer {
    const known = this.#ciphers.get(name);
    if (known !== undefined) return known;
    const cipher = this.#functions.fetchCipher(0, name, 0);
    if (cipher === 0) {
      this.#functions.clearErrors();
      throw new HalError(`This Node's OpenSSL has no ${name}: choose another algorithm.`, 'EINVAL');
    }
    this.#ciphers.set(name, cipher);
    return cipher;
  }
}

function bind(library: SymbolSource): Functions {
  return {
    fetchCipher: library.func('uintptr_t EVP_CIPHER_fetch(uintptr_t library, const char *name, uintptr_t properties)'),
    newCipher: library.func('uintptr_t EVP_CIPHER_CTX_new()'),
    freeCipher: library.func('void EVP_CIPHER_CTX_free(uintptr_t context)'),
    initCipher: library.func(
      'int EVP_CipherInit_ex2(uintptr_t context, uintptr_t cipher, uintptr_t key, uintptr_t iv, int encrypt, uintptr_t p)',
    ),
    keyCipher: library.func(
      'int EVP_CipherInit_ex2(uintptr_t context, uintptr_t cipher, void *key, uintptr_t iv, int encrypt, uintptr_t p)',
    ),
    setPadding: library.func('int EVP_CIPHER_CTX_set_padding(uintptr_t context, int padding)'),
    control: library.func('int EVP_CIPHER_CTX_ctrl(uintptr_t context, int type, int argument, uintptr_t pointer)'),
    updateCipher: library.func(
      'int EVP_CipherUpdate(uintptr_t context, uintptr_t out, uintptr_t written, uintptr_t in, int length)',
    ),
    finishCipher: library.func('int EVP_CipherFinal_ex(uintptr_t context, uintptr_t out, uintptr_t written)'),
    fetchMac: library.func('uintptr_t EVP_MAC_fetch(uintptr_t library, const char *name, uintptr_t properties)'),
    newMac: library.func('uintptr_t EVP_MAC_CTX_new(uintptr_t mac)'),
    freeMac: library.func('void EVP_MAC_CTX_free(uintptr_t context)'),
    initMac: library.func('int EVP_MAC_init(uintptr_t context, uintptr_t key, size_t length, uintptr_t parameters)'),
    keyMac: library.func('int EVP_MAC_init(uintptr_t context, void *key, size_t length, void *parameters)'),
    updateMac: library.func('int EVP_MAC_update(uintptr_t context, uintptr_t data, size_t length)'),
    finishMac: library.func('int EVP_MAC_final(uintptr_t context, uintptr_t out, uintptr_t written, size_t size)'),
    clearErrors: library.func('void ERR_clear_error()'),
  };
}

/** EVP of this process; `undefined` where its symbols are missing. */
export function openEvp(library?: SymbolSource): Evp | undefined {
  try {
    return new Evp(library ?? koffi.load(null));
  } catch {
    return undefined;
  }
}
