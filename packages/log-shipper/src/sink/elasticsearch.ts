// Elasticsearch. Its data streams take `create` only, and want a time.

import { bulkSink } from './bulk.ts';

export const elasticsearch = bulkSink('Elasticsearch, by its bulk API', 'sinkElasticsearch');
