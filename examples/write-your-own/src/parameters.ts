import { duration, path, url } from '@outrigger/core';

export const parameters = {
  from: url({ example: 'http://127.0.0.1:8000/rates.json', help: 'Where the rates are published, as JSON' }),
  to: path({ access: 'write', example: '/rates/rates.json', help: 'The file that the application reads' }),
  timeout: duration({ default: '5s', min: '10ms', reloadable: true, help: 'How long one fetch may take' }),
  period: duration({
    default: '1m',
    min: '10ms',
    reloadable: true,
    help: 'How long to wait between two rounds of work',
  }),
};
