// What can be done to records.

import { add } from './add.ts';
import { deduplicate } from './deduplicate.ts';
import { dropFields } from './drop-fields.ts';
import { filter } from './filter.ts';
import { keepFields } from './keep-fields.ts';
import { kubernetes } from './kubernetes.ts';
import { rateLimit } from './rate-limit.ts';
import { redact } from './redact.ts';
import { rename } from './rename.ts';
import { sample } from './sample.ts';
import type { TransformMember } from './transform.ts';

export const transforms = {
  add,
  kubernetes,
  rename,
  'drop-fields': dropFields,
  'keep-fields': keepFields,
  filter,
  sample,
  'rate-limit': rateLimit,
  deduplicate,
  redact,
} satisfies Record<string, TransformMember>;
