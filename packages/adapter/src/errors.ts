import { defineErrors } from '@outrigger/core';

// The code is also the `code` label of outrigger_adapter_target_errors_total: one vocabulary for logs, API and alerts.
export const errors = defineErrors({
  ADAPTER_TARGET_UNREACHABLE: {
    message: 'Target {target} cannot be reached: {detail}',
    hint: 'Is the application running, and does --target name where its status page is? A certificate that is not trusted needs --target-ca-file',
    status: 502,
  },
  ADAPTER_TARGET_TIMEOUT: {
    message: 'Target {target} gave no complete answer within {timeout}',
    hint: 'Raise --timeout, but keep it below the scrape timeout of Prometheus',
    status: 504,
  },
  ADAPTER_TARGET_HANGS: {
    message: 'Target {target} has hung since {since}: it is left alone for {seconds} s',
    hint: 'It gave no answer within --timeout several times in a row (--fail-fast-after); one scrape will try it then',
    status: 504,
  },
  ADAPTER_TARGET_STATUS: {
    message: 'Target {target} answered {status}',
    hint: 'Redirects are not followed; for 401 and 403 check --target-user, --target-password-file and --target-token-file',
    status: 502,
  },
  ADAPTER_DOCUMENT_TOO_LARGE: {
    message: 'The document is larger than {limit}',
    hint: 'Raise --body-limit, or ask the application for a shorter page',
    status: 502,
  },
  ADAPTER_DOCUMENT_TYPE: {
    message: 'The document is {type}, not XML',
    hint: 'Is --target the status page and not a page that asks for a login?',
    status: 502,
  },
  ADAPTER_DOCUMENT_EMPTY: {
    message: 'The document is empty',
    hint: 'Ask the application for its status page by hand and look at what comes',
    status: 502,
  },
  ADAPTER_DOCUMENT_ENCODING: {
    message: 'The document is written in {encoding}, which is not known',
    hint: 'Any encoding of the WHATWG list can be read, and no compression',
    status: 502,
  },
  ADAPTER_DOCUMENT_ENTITY: {
    message: 'The document declares entities at {position}',
    hint: 'Entities are refused since they can be made to fill the memory or to read files; a DOCTYPE without them is fine',
    status: 502,
  },
  ADAPTER_DOCUMENT_MALFORMED: {
    message: 'The document is not well-formed at {position}: {detail}',
    hint: 'A cut or half-written page is refused whole, so that no wrong number is shown',
    status: 502,
  },
  ADAPTER_DOCUMENT_LIMIT: {
    message: 'The document has {detail} at {position}',
    hint: 'A status page is never like this; look at what the application answers',
    status: 502,
  },
  ADAPTER_DOCUMENT_ROOT: {
    message: 'The root element is "{found}", the rules expect "{expected}"',
    hint: 'Is this an error page, or has the application been upgraded? `root` in the rules file names the expected element',
    status: 502,
  },
  ADAPTER_DOCUMENT_COST: {
    message: 'The document could not be translated: {detail}',
    hint: 'Lower --body-limit, raise --timeout, or write rules without `//`',
    status: 502,
  },
  ADAPTER_TLS_REFUSED: {
    message: 'The changed TLS files are not taken into use: {detail}',
    hint: 'What was read before stays in use; write certificate and key together (a ..data swap does)',
  },
  ADAPTER_CERTIFICATE_EXPIRED: {
    message: 'The client certificate {file} {detail}',
    hint: 'The target may refuse it; renew it and replace the files: they are read again without a restart',
  },
  ADAPTER_RULE_FAILED: {
    message: 'Rule {rule} ({place}) drops {count} samples of this document, {reason}: {example}',
    hint: 'GET /v1/rules shows what each rule found in the last document',
  },
});
