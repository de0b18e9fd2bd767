// Numbers. What a double holds digit by digit is read here, another by the host as it reads every other number; of integers
// those of up to 18 digits, which 64 bits hold whatever they are.

import { put16, put32 } from './bytes';

@external('env', 'number')
declare function readNumber(start: i32, end: i32): f64;

const powers = memory.data<f64>([1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15]);

/** Where the number ends that was read last. */
export let numberEnd: i32 = 0;

function putInteger(o: i32, v: i64): i32 {
  if (v >= -32 && v <= 127) {
    store<u8>(o, v as u8);
    return o + 1;
  }
  if (v >= 0 && v <= 0xffff) {
    store<u8>(o, 0xcd);
    put16(o + 1, v as i32);
    return o + 3;
  }
  if (v == ((v as i32) as i64)) {
    store<u8>(o, 0xd2);
    put32(o + 1, v as i32);
    return o + 5;
  }
  store<u8>(o, v < 0 ? 0xd3 : 0xcf);
  store<u64>(o + 1, bswap<u64>(v as u64));
  return o + 9;
}

function putDouble(o: i32, v: f64): i32 {
  if (v == Math.trunc(v) && Math.abs(v) <= 9007199254740991) return putInteger(o, v as i64);
  store<u8>(o, 0xcb);
  store<u64>(o + 1, bswap<u64>(reinterpret<u64>(v)));
  return o + 9;
}

/** Returns where the output ends, 0 for what is not for here. */
export function putNumber(start: i32, o: i32): i32 {
  let p = start;
  let b = load<u8>(p) as i32;
  const negative = b == 0x2d;
  if (negative) b = load<u8>(++p);
  const digits = p;
  let value: i64 = 0;
  if (b == 0x30) b = load<u8>(++p);
  else {
    let d = b - 0x30;
    while ((d as u32) <= 9) {
      value = value * 10 + (d as i64);
      d = (load<u8>(++p) as i32) - 0x30;
    }
    if (p == digits) return 0;
    b = d + 0x30;
  }
  const whole = p - digits;
  if (b != 0x2e && (b | 0x20) != 0x65) {
    if (whole > 18) return 0;
    numberEnd = p;
    return putInteger(o, negative ? -value : value);
  }
  let fraction = 0;
  if (b == 0x2e) {
    const from = ++p;
    let d = (load<u8>(p) as i32) - 0x30;
    while ((d as u32) <= 9) {
      value = value * 10 + (d as i64);
      d = (load<u8>(++p) as i32) - 0x30;
    }
    fraction = p - from;
    if (fraction == 0) return 0;
    b = d + 0x30;
  }
  // Both the digits and the power of ten are exact, so that the one division rounds as it should.
  if ((b | 0x20) != 0x65 && whole + fraction <= 15) {
    numberEnd = p;
    const v = (value as f64) / load<f64>(powers + (fraction << 3));
    return putDouble(o, negative ? -v : v);
  }
  if ((b | 0x20) == 0x65) {
    b = load<u8>(++p);
    if (b == 0x2b || b == 0x2d) p++;
    const from = p;
    while ((((load<u8>(p) as i32) - 0x30) as u32) <= 9) p++;
    if (p == from) return 0;
  }
  const v = readNumber(start, p);
  // Goes as its digits.
  if (!isFinite<f64>(v)) return 0;
  numberEnd = p;
  return putDouble(o, v);
}
