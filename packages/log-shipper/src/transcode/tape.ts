// What a scanner notes about the values of a line, in the order in which they are written. Who reads or writes it takes
// these apart at the top of the file: a property of another module's is looked up each time.

/** What a token of the tape is: its kind, and two numbers that say more. */
export const tokens = {
  /** How many numbers a token takes. */
  width: 3,
  /** How many members. */
  map: 0,
  /** How many items. */
  list: 1,
  /** Where its characters start and end. */
  text: 2,
  /** The same, of one with escapes in it. */
  escaped: 3,
  /** Its value, of at most nine digits. */
  integer: 4,
  /** Where any other number starts and ends. */
  number: 5,
  /** The byte that MessagePack has for it. */
  constant: 6,
};
