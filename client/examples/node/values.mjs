// Values between JavaScript and MessagePack, type and bits, on @msgpack/msgpack 3: what JavaScript lacks has a documented
// one here.
//
//   JavaScript                        MessagePack
//   7, -7                             integer (a whole number up to 2^53)
//   7n                                integer of 64 bits; comes back as one where a number does not hold it
//   1.5, 1e300, -0, NaN               float of 64 bits
//   new Float(7)                      float of 64 bits whose value is whole: comes back as one
//   new Float32(1.5)                  float of 32 bits: comes back as one
//   'text', Uint8Array, [], {}        as they are; a Map may have any keys
//   ExtData                           extension
//
// What cannot go, or come, is refused by name (RangeError, TypeError): integers of more than 64 bits, texts that are not
// UTF-8, maps with keys that are no texts. The bits of a NaN are not JavaScript's to keep.
import { Decoder, Encoder } from '@msgpack/msgpack';

const MAX_DEPTH = 512;
const LARGEST = (1n << 64n) - 1n;
const SMALLEST = -(1n << 63n);
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class Float {
  constructor(value) {
    this.value = value;
  }
  valueOf() {
    return this.value;
  }
}

export class Float32 extends Float {}

class ValueEncoder extends Encoder {
  constructor() {
    super({ maxDepth: MAX_DEPTH });
  }
  doEncode(object, depth) {
    if (typeof object === 'bigint') return this.encodeInteger(object);
    if (Object.is(object, -0)) return this.encodeNumberAsFloat(object);
    return super.doEncode(object, depth);
  }
  encodeInteger(integer) {
    if (integer > LARGEST || integer < SMALLEST) throw new RangeError(`${integer} does not fit into 64 bits`);
    if (integer === BigInt(Number(integer)) && Number.isSafeInteger(Number(integer))) this.encodeNumber(Number(integer));
    else this.encodeBigInt64(integer);
  }
  encodeObject(object, depth) {
    if (object instanceof Float32) {
      this.writeU8(0xca);
      this.writeF32(object.value);
    } else if (object instanceof Float) {
      this.writeU8(0xcb);
      this.writeF64(object.value);
    } else if (object instanceof Map) {
      this.encodePairs(object, depth);
    } else {
      super.encodeObject(object, depth);
    }
  }
  encodePairs(map, depth) {
    if (map.size < 16) {
      this.writeU8(0x80 + map.size);
    } else {
      this.writeU8(0xdf);
      this.writeU32(map.size);
    }
    for (const [key, value] of map) {
      this.doEncode(key, depth + 1);
      this.doEncode(value, depth + 1);
    }
  }
}

function textOnly(key) {
  if (typeof key === 'string') return key;
  throw new TypeError(`a map with the key ${key}, which is no text`);
}

const short = (integer) => (integer === BigInt(Number(integer)) && Number.isSafeInteger(Number(integer)) ? Number(integer) : integer);

class ValueDecoder extends Decoder {
  constructor() {
    super({ useBigInt64: true, mapKeyConverter: textOnly });
  }
  readF64() {
    const value = super.readF64();
    return Number.isInteger(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER && !Object.is(value, -0) ? new Float(value) : value;
  }
  readF32() {
    return new Float32(super.readF32());
  }
  readU64AsBigInt() {
    return short(super.readU64AsBigInt());
  }
  readI64AsBigInt() {
    return short(super.readI64AsBigInt());
  }
  decodeUtf8String(size, head) {
    const begin = this.pos + head;
    if (this.bytes.byteLength < begin + size) throw new RangeError('a text that is cut off');
    const text = utf8.decode(this.bytes.subarray(begin, begin + size));
    this.pos = begin + size;
    return text;
  }
}

// The arguments of one call.
export const encodeArguments = (...values) => new ValueEncoder().encode(values);

// A result.
export const decodeValue = (bytes) => new ValueDecoder().decode(bytes);
