// OpenSearch, which speaks what Elasticsearch spoke when they parted.

import { bulkSink } from './bulk.ts';

export const opensearch = bulkSink('OpenSearch, by its bulk API', 'sinkOpensearch');
