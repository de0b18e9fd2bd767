// Every bound of the admin listener, in one place: what anybody on the Pod's network can make it hold or wait for.

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;

export const limits = {
  /**
   * Open connections: more than the 1,000 probes at once that it must answer. An idle one costs 10 KB, so all of them
   * 10 MB. One more takes the place of the one that has been idle longest.
   */
  connections: 1024,
  /** Requests on one connection, then it is closed: nobody keeps a place for ever. */
  requestsPerConnection: 10_000,
  /** Requests of one connection, and of all together, that wait for the handler of the one before them, 4 KB each. */
  waitingRequests: 16,
  allWaitingRequests: 1024,
  /** Answers of all connections together that wait behind an answer which its client has not taken, 3 KB each. */
  waitingAnswers: 4096,
  /** Bytes of all answers together that their clients have not taken. The newest answer may be larger by itself. */
  untakenBytes: 16 * mebibyte,
  /** Bytes of a request's line and headers together; their number needs no limit then. */
  headBytes: 16 * kibibyte,
  /** Bytes of a request's body, and of all that are on their way. */
  bodyBytes: mebibyte,
  allBodyBytes: 4 * mebibyte,

  /** Milliseconds for a request's head, from the connection or the answer before; what is late gets 408. */
  headTime: 10_000,
  /** Milliseconds for the whole request. */
  requestTime: 30_000,
  /** Milliseconds for the client to take an answer. Event streams have a rule of their own. */
  answerTime: 30_000,
  /** Milliseconds that a connection is kept for its next request. */
  idleTime: 5_000,
  /** Milliseconds between two looks at the times above, so that much later they take effect. */
  lookPeriod: 2_000,

  /** Milliseconds, and bytes, for which input is thrown away after a refusal so that the refusal arrives. */
  lingerTime: 2_000,
  lingerBytes: 8 * mebibyte,
} as const;
