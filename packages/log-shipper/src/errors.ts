import { defineErrors } from '@outrigger/core';

export const errors = defineErrors({
  LOG_SHIPPER_SINK_DOWN: {
    message: 'Sink {sink} does not take records: {reason}',
    hint: 'Nothing is lost: what is not acknowledged stays in its files and is sent again, at growing intervals',
  },
  LOG_SHIPPER_SINK_BROKEN: {
    message: 'Sink {sink} cannot work any more: {reason}',
    hint: 'A restart gives it a new one; what it has not taken is sent again then',
  },
  LOG_SHIPPER_REFUSED: {
    message: 'Sink {sink} refuses {records} records for good: {reason}',
    hint: 'They are kept as dead letters in the state directory; replay sends them again',
  },
  LOG_SHIPPER_LETTERS_DROPPED: {
    message: 'Dead letters were dropped to make room for younger ones: "{path}", {bytes} bytes',
    hint: 'Replay or remove dead letters, or give them more room with --dead-letter-limit',
  },
  LOG_SHIPPER_QUEUE_DAMAGED: {
    message: 'The disk queue was damaged in "{path}": {bytes} bytes from {offset} on are no records',
    hint: 'They are kept in spool/quarantine of the state directory; records behind them are shipped',
  },
  LOG_SHIPPER_QUEUE_FULL: {
    message: '{records} records ({bytes} bytes) had to leave the disk queue for want of room: {reason}',
    hint: 'Give it more room with --queue-limit, or let senders wait with --when-queue-full block',
  },
  LOG_SHIPPER_QUEUE_UNUSABLE: {
    message: 'File "{path}" of the disk queue is left as it is: {reason}',
    hint: 'See that the user of the container owns the state directory',
  },
  LOG_SHIPPER_QUEUE_REFUSES: {
    message: 'The disk queue takes nothing: {reason}',
    hint: 'Senders are told to wait; make room on the volume of the state directory',
  },
  LOG_SHIPPER_FILE_UNREADABLE: {
    message: 'File "{path}" cannot be read: {reason}',
    hint: 'It is tried again with every poll; where permission is denied, the container must share the volume, and its user or fsGroup must be allowed to read',
  },
  LOG_SHIPPER_FILE_REFUSED: {
    message: 'File "{path}" is not followed: {reason}',
    hint: 'Links that leave the directory named by --source-file-paths are followed only with --source-file-links follow, for whoever can write there can make them; what the log-shipper writes never is',
  },
  LOG_SHIPPER_FILE_TRUNCATED: {
    message: 'File "{path}" was truncated or rewritten, {lost} bytes of it had not been read',
    hint: 'It is read from its beginning; rotation by renaming loses nothing, copytruncate may',
  },
  LOG_SHIPPER_FILE_GONE: {
    message: 'File "{path}" is gone, {lost} bytes of it had not been acknowledged',
    hint: 'Keep rotated files for as long as a sink may be down, uncompressed and in the same directory',
  },
  LOG_SHIPPER_NOT_HELD: {
    message: 'File "{path}" cannot be kept from being removed: {reason}',
    hint: '--source-file-hold must lie on the file system of the files, and their owner must be ours or let us write',
  },
  LOG_SHIPPER_HOLD_FULL: {
    message: 'File "{path}", {size}, is not kept any longer: more than --source-file-hold-limit would be',
    hint: 'It is read as long as this process runs; raise the limit, or see why a sink takes nothing',
  },
  LOG_SHIPPER_STATE_FULL: {
    message: 'There is no room in the state directory "{path}"',
    hint: 'Make some; until then nothing is shipped, and nothing is lost that stays in its files',
  },
  LOG_SHIPPER_STATE_CORRUPT: {
    message: 'State file "{path}" is not usable: {reason}',
    hint: 'It is kept aside as "{aside}"; files are read from their beginning, so lines may arrive twice',
  },
  LOG_SHIPPER_STATE_UNWRITABLE: {
    message: 'State file "{path}" cannot be written: {reason}',
    hint: 'Shipping goes on and the write is tried again; until it succeeds, a restart sends again what was sent since',
  },
  LOG_SHIPPER_LEFT: {
    message: 'Sink {sink} has not acknowledged {lag} bytes when the drain deadline comes',
    hint: 'They stay in their files: the next start with the same state directory sends them, if the volume survives',
  },
});
