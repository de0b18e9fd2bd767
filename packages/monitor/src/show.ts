// Show: one page of the sidecars and the processes, complete without JavaScript, kept up to date with it.

import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { Fault } from '@outrigger/core';
import type { Snapshot } from './attribute.ts';
import type { SidecarHealth } from './judge.ts';
import { age, bytes } from './show/format.ts';
import { Html, html } from './show/html.ts';
import { live } from './show/live.ts';
import { processTable, type Sort } from './show/process-table.ts';
import { style } from './show/style.ts';
import type { State } from './sidecar.ts';

export { sorts } from './show/process-table.ts';

const digest = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

// Beside the header that every page of a sidecar has: only this very style and script, whatever else gets into the page.
const policy = [
  `default-src 'none'`,
  `style-src ${digest(style)}`,
  `script-src ${digest(live)}`,
  `connect-src 'self'`,
  `img-src data:`,
  `base-uri 'none'`,
  `form-action 'none'`,
].join('; ');

const icon =
  'data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E%3Cpath fill=%22none%22 stroke=%22%230b8ba8%22 stroke-width=%222%22 stroke-linecap=%22round%22 d=%22M1 6q7 3 14 0M4 13h8M5 7v6M11 7v6%22/%3E%3C/svg%3E';

/** @param sort how the processes are ordered; by container when it is left out. */
export async function page(state: State, sort: Sort = 'container'): Promise<string> {
  const processes = await state.processes().catch((error: unknown) => {
    if (error instanceof Fault) return error;
    throw error;
  });
  const sidecars = state.sidecars();
  const here = sidecars.filter((each) => each.state !== 'absent' || each.lastAnswer !== null);
  const ready = here.filter((each) => each.state === 'ready').length;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="content-security-policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${ready}/${here.length} ready - ${hostname()}</title>
<link rel="icon" href="${icon}">
<style>${new Html(style)}</style>
<noscript><meta http-equiv="refresh" content="10"></noscript>
</head>
<body>
<header>
<h1><small>Outrigger monitor</small>${hostname()}</h1>
<div class="live"><p id="live" role="status"></p><button id="pause" type="button" hidden>Pause</button></div>
</header>
<main>
${figures(processes, ready, here.length)}
<section aria-labelledby="sidecars" data-key="sidecars">
<h2 id="sidecars">Sidecars</h2>
<ul class="tiles">${sidecars.map(tile)}</ul>
</section>
<section aria-labelledby="processes" data-key="processes">
<h2 id="processes">Processes</h2>
${processes instanceof Fault ? html`<p class="note">${processes.message}. ${processes.hint}.</p>` : processTable(processes, sort)}
</section>
</main>
<footer>
<p><a href="/v1/processes">Processes</a> and <a href="/v1/health">health</a> as JSON, <a href="/metrics">metrics</a>, <a href="/openapi.json">API description</a></p>
</footer>
<script>${new Html(live)}</script>
</body>
</html>
`.text;
}

function figures(processes: Snapshot | Fault, ready: number, here: number): Html {
  const figure = (name: string, value: Html | string) =>
    html`<div data-key="${name}"><dt>${name}</dt><dd>${value}</dd></div>`;
  const sidecars = figure('Sidecars ready', html`${ready} <small>of ${here}</small>`);
  if (processes instanceof Fault) return html`<dl class="figures" data-key="figures">${sidecars}</dl>`;
  const { containers, interval } = processes;
  const total = (of: 'cpu' | 'memory' | 'processes') => containers.reduce((sum, each) => sum + each[of], 0);
  return html`<dl class="figures" data-key="figures">${[
    sidecars,
    figure('CPU', html`${total('cpu').toFixed(2)} <small>cores over ${interval.toFixed(1)} s</small>`),
    figure('Memory', bytes(total('memory'))),
    figure(
      'Processes',
      html`${total('processes')} <small>in ${containers.length} ${containers.length === 1 ? 'container' : 'containers'}</small>`,
    ),
  ]}</dl>`;
}

/** Told by shape and word, not by colour alone. */
const badges = {
  ready: ['ready', '\u25cf Ready'],
  failing: ['failing', '\u25b2 Not ready'],
  silent: ['silent', '\u25c6 Silent'],
  gone: ['gone', '\u25b2 Gone'],
  absent: ['missing', '\u25cb Absent'],
  unknown: ['missing', '\u25cb Asking'],
} as const;

function tile(sidecar: SidecarHealth): Html {
  const { name, url, state, phase, version, since, reason, lastAnswer } = sidecar;
  const [kind, badge] = badges[state === 'absent' && lastAnswer ? 'gone' : state];
  const admin = under(new URL(url), 'v1');
  const elapsed = age((Date.now() - Date.parse(since)) / 1000);
  return html`<li class="${kind}" data-key="${name}">
<div class="tile-head"><a href="${admin.href}" ${here(admin)}>${name}</a>${admin.port && html`<span>:${admin.port}</span>`}</div>
<p><span class="badge">${badge}</span>${phase && ` \u00b7 ${phase}`}</p>
<p>${version && `v${version} \u00b7 `}for ${elapsed}</p>
${reason && kind !== 'missing' && html`<p class="reason">${reason}</p>`}
</li>`;
}

const under = (base: URL, path: string) => new URL(path, base.href.endsWith('/') ? base : `${base.href}/`);

/** Marks a link to this machine for the script. */
const here = ({ hostname }: URL) => (/^(localhost|127\..*|\[::1\])$/.test(hostname) ? html`data-here` : undefined);
