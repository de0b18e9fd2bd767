// The receivers, by the name of the sink that is tested against them.

import { DatadogReceiver } from './datadog.ts';
import { ElasticsearchReceiver } from './elasticsearch.ts';
import { LokiReceiver } from './loki.ts';
import { OtlpReceiver } from './otlp.ts';
import { PlainHttpReceiver } from './plain-http.ts';
import { SplunkReceiver } from './splunk.ts';

export const receivers = {
  'splunk-hec': SplunkReceiver,
  elasticsearch: ElasticsearchReceiver,
  opensearch: ElasticsearchReceiver,
  datadog: DatadogReceiver,
  loki: LokiReceiver,
  'otlp-http': OtlpReceiver,
  http: PlainHttpReceiver,
};
