// Runs in the browser: asks for the page again and changes what has changed, so that what is focused or selected stays.
// The server renders; there is no second renderer here to differ from it. Plain JavaScript, as the browser gets it.

export const live = `
'use strict';
const period = 2000;
const says = document.querySelector('#live');
const button = document.querySelector('#pause');
const main = document.querySelector('main');
let paused = false;
let timer;

// The admin listeners of the sidecars are where this page came from, not on the machine of whoever reads it.
function point(page) {
  for (const link of page.querySelectorAll('a[data-here]')) link.hostname = location.hostname;
}

function morph(old, next) {
  if (old.isEqualNode(next)) return;
  if (old.nodeType === Node.TEXT_NODE && next.nodeType === Node.TEXT_NODE) { old.nodeValue = next.nodeValue; return; }
  if (old.nodeName !== next.nodeName || old.nodeType !== Node.ELEMENT_NODE || old.dataset.key !== next.dataset.key) {
    old.replaceWith(next);
    return;
  }
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  morphChildren(old, next);
}

function morphChildren(old, next) {
  const keyed = new Map([...old.children].filter(({ dataset }) => dataset.key).map((child) => [child.dataset.key, child]));
  let place = old.firstChild;
  for (const wanted of [...next.childNodes]) {
    const same = wanted.dataset?.key && keyed.get(wanted.dataset.key);
    if (same && same !== place) old.insertBefore(same, place);
    else if (!place) { old.append(wanted); continue; }
    else if (wanted.dataset?.key && !same) { old.insertBefore(wanted, place); continue; }
    const current = same || place;
    place = current.nextSibling;
    morph(current, wanted);
  }
  while (place) { const after = place.nextSibling; place.remove(); place = after; }
}

function say(state, text) {
  main.dataset.state = state;
  says.dataset.state = state;
  if (says.textContent !== text) says.textContent = text;
}

async function refresh() {
  clearTimeout(timer);
  if (paused || document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(10000) });
    if (!answer.ok) throw new Error(answer.status);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    point(page);
    document.title = page.title;
    if (!paused) {
      morphChildren(main, page.querySelector('main'));
      say('live', 'Live');
    }
  } catch {
    if (main.dataset.state !== 'lost') say('lost', 'No answer since ' + new Date().toLocaleTimeString());
  }
  clearTimeout(timer);
  if (!paused) timer = setTimeout(refresh, period);
}

button.addEventListener('click', () => {
  paused = !paused;
  button.textContent = paused ? 'Resume' : 'Pause';
  if (paused) say('paused', 'Paused');
  else refresh();
});
document.addEventListener('visibilitychange', refresh);
button.hidden = false;
point(document);
say('live', 'Live');
timer = setTimeout(refresh, period);
`;
