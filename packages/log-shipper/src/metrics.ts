import { counter, gauge, histogram } from '@outrigger/core';

export const metrics = {
  read: counter({ unit: 'bytes', labels: ['sink'], help: 'Bytes of lines read for a sink' }),
  deliveredRecords: counter({ labels: ['sink'], help: 'Records that a sink has acknowledged' }),
  delivered: counter({ unit: 'bytes', labels: ['sink'], help: 'Bytes of the source that a sink has acknowledged' }),
  deadRecords: counter({ labels: ['sink'], help: 'Records that a sink refuses for good: they are dead letters' }),
  dead: counter({
    unit: 'bytes',
    labels: ['sink'],
    help: 'Bytes of the source of records that a sink refuses for good',
  }),
  droppedLetters: counter({ unit: 'bytes', help: 'Bytes of dead letters that had to make room for younger ones' }),
  dropped: counter({
    unit: 'bytes',
    labels: ['sink', 'reason'],
    help: 'Bytes of records that were not to be shipped to a sink',
  }),
  retries: counter({ labels: ['sink'], help: 'Attempts to deliver a batch after the first' }),
  deliveryDuration: histogram({
    unit: 'seconds',
    labels: ['sink'],
    buckets: [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60],
    help: 'From the first attempt of a batch to its acknowledgement',
  }),
  inFlight: gauge({ unit: 'bytes', labels: ['sink'], help: 'Encoded bytes that wait for an acknowledgement' }),
  lag: gauge({ unit: 'bytes', labels: ['sink'], help: 'Bytes in files that a sink has not acknowledged' }),
  sinkUp: gauge({ labels: ['sink'], help: '1 while the sink takes what it is given' }),
  received: counter({
    unit: 'bytes',
    labels: ['source', 'result'],
    help: 'Bytes that sources were pushed; safe ones are in the disk queue, of full ones the sender was told to wait',
  }),
  receivedRecords: counter({ labels: ['source', 'result'], help: 'Records that sources were pushed' }),
  queueDropped: counter({ labels: ['reason'], help: 'Records that had to leave the disk queue for want of room' }),
  queueDamaged: counter({ unit: 'bytes', help: 'Bytes of the disk queue that were found damaged and put aside' }),
  files: gauge({ help: 'Files that are followed' }),
  rotations: counter({ help: 'Files that were renamed or removed while they were followed' }),
  truncations: counter({ help: 'Files that lost content which had been read, by truncation or rewriting' }),
  lost: counter({ unit: 'bytes', labels: ['reason'], help: 'Bytes that were gone before they could be read' }),
  splitLines: counter({ help: 'Pieces of lines longer than the limit' }),
  parseFailures: counter({ help: 'Lines that the parser could not read and that were shipped as they are' }),
  checkpoints: counter({ labels: ['result'], help: 'Writes of the state file' }),
};
