// Where records can go.

import { datadog } from './datadog.ts';
import { elasticsearch } from './elasticsearch.ts';
import { file } from './file.ts';
import { forward } from './forward.ts';
import { http } from './http.ts';
import { loki } from './loki.ts';
import { opensearch } from './opensearch.ts';
import { otlpHttp } from './otlp-http.ts';
import type { SinkMember } from './sink.ts';
import { splunkHec } from './splunk-hec.ts';
import { stdout } from './stdout.ts';
import { syslog } from './syslog.ts';

export const sinks = {
  stdout,
  file,
  forward,
  syslog,
  'splunk-hec': splunkHec,
  elasticsearch,
  opensearch,
  datadog,
  loki,
  'otlp-http': otlpHttp,
  http,
} satisfies Record<string, SinkMember>;
