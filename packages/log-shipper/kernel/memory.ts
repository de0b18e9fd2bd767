// Where everything lies. Nothing grows, so that views of the memory stay valid and its cost is known: 384 KiB. The host
// asks for these by their exports. AssemblyScript's own tables lie below LIKELY.

/** Which low bytes of hashes are worth a look at the names. 256 bytes. */
export const LIKELY: i32 = 0x400;
/** Of 16 bytes: hash, place, length, flags. */
export const NAMES: i32 = 0x500;
export const MOST_NAMES: i32 = 64;
/** 16 bytes of ones, then 16 of zeros: from a place in it on, as many ones as are wanted. */
export const MASKS: i32 = 0x900;
/** An entry without a record: a time of reading. Read as 16 bytes. */
export const HEADER: i32 = 0x940;
/** Of 16 bytes: 8 of the word, then the level. One for each way to begin. */
export const LEVELS: i32 = 0x980;
/** Of the maps and lists around the one that is read, of 16 bytes. */
export const STACK: i32 = 0xc00;
/** Of the keys of the maps that are open. */
export const HASHES: i32 = 0x1400;
export const HASHES_END: i32 = 0x2000;
/** The bytes of the names, and behind them of the fields that all records have. */
export const TEXTS: i32 = 0x2000;
export const MOST_TEXT: i32 = 0x1000;
/** Start and end of each line, as places in IN. */
export const SPANS: i32 = 0x4000;
export const MOST_LINES: i32 = 2048;
/** Of 32 bytes: start, end (0: not for here); seconds as a double; time and level, each as two numbers. */
export const RESULTS: i32 = 0x8000;
/** In the same place, of lines in envelopes: a column each. */
export const SECONDS: i32 = RESULTS;
export const NANOS: i32 = RESULTS + 8 * MOST_LINES;
export const STARTS: i32 = RESULTS + 12 * MOST_LINES;
export const STOPS: i32 = RESULTS + 16 * MOST_LINES;
export const STREAMS: i32 = RESULTS + 20 * MOST_LINES;
/** The lines, and behind them what may be read and is never told. */
export const IN: i32 = 0x18000;
export const MOST_BYTES: i32 = 0x10000;
/** The entries. Behind its end there is room for what is written by 16 bytes. */
export const OUT: i32 = 0x28040;
export const OUT_END: i32 = 0x58000;
