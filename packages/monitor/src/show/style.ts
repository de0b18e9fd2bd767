// The page's own style. Nothing is loaded from elsewhere.

export const style = `
:root {
  color-scheme: light dark;
  --paper: #f4f6f8; --card: #fff; --ink: #16202b; --quiet: #566472; --line: #dde3e9; --track: #e6ebf0;
  --accent: #0b6e87; --ready: #17724a; --failing: #b3261e; --silent: #8a5a00; --hot: #c2570c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0f1419; --card: #171e26; --ink: #e4eaf0; --quiet: #98a6b4; --line: #28323d; --track: #26303b;
    --accent: #54c1dc; --ready: #56cf94; --failing: #ff8a80; --silent: #f0b955; --hot: #ff9d5c;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 76rem; padding: 1rem clamp(0.75rem, 3vw, 2rem) 3rem;
  background: var(--paper); color: var(--ink); font: 0.9375rem/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums;
}
a { color: var(--accent); text-underline-offset: 0.2em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 2px; }
header { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; align-items: center; justify-content: space-between; }
h1 { margin: 0; font-size: 1.25rem; font-weight: 650; overflow-wrap: anywhere; }
h1 small { display: block; font-size: 0.8125rem; font-weight: 500; color: var(--quiet); }
h2 { margin: 1.75rem 0 0.6rem; font-size: 1rem; font-weight: 650; }
.live { display: flex; gap: 0.75rem; align-items: center; color: var(--quiet); font-size: 0.8125rem; }
.live p { margin: 0; }
.live p[data-state=live]::before { content: '\\25cf\\a0'; color: var(--ready); }
.live p[data-state=lost] { color: var(--failing); font-weight: 600; }
button {
  font: inherit; padding: 0.3rem 0.8rem; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: 6px; cursor: pointer;
}
main[data-state=lost] { opacity: 0.55; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr)); gap: 0.6rem; margin: 1rem 0 0; }
.figures div, .tiles li { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 0.7rem 0.9rem; }
.figures dt { color: var(--quiet); font-size: 0.8125rem; }
.figures dd { margin: 0; font-size: 1.375rem; font-weight: 600; line-height: 1.3; }
.figures dd small { white-space: nowrap; line-height: 1; font-size: 0.8125rem; font-weight: 400; color: var(--quiet); }
.tiles { list-style: none; margin: 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr)); gap: 0.6rem; }
.tiles li { --state: var(--quiet); border-left: 4px solid var(--state); }
.tiles .ready { --state: var(--ready); } .tiles .failing, .tiles .gone { --state: var(--failing); } .tiles .silent { --state: var(--silent); }
.tiles .missing { background: none; border-style: dashed; border-left-style: solid; color: var(--quiet); }
.tile-head { display: flex; gap: 0.5rem; justify-content: space-between; align-items: baseline; }
.tile-head a { font-weight: 600; overflow-wrap: anywhere; }
.tile-head span { color: var(--quiet); font-size: 0.8125rem; }
.badge { color: var(--state); font-weight: 600; }
.tiles p { margin: 0.2rem 0 0; font-size: 0.8125rem; color: var(--quiet); }
.tiles .reason { color: var(--ink); overflow-wrap: anywhere; }
.note { border: 1px solid var(--line); border-left: 4px solid var(--silent); border-radius: 6px; background: var(--card); padding: 0.6rem 0.9rem; margin: 0.6rem 0; }
.note code { white-space: nowrap; }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 0.32rem 0.75rem; text-align: right; vertical-align: top; white-space: nowrap; font-weight: 400; }
thead th { color: var(--quiet); font-size: 0.8125rem; padding-block: 0.5rem; border-bottom: 1px solid var(--line); }
thead a { color: inherit; }
thead [aria-sort] a { color: var(--ink); font-weight: 650; }
thead [aria-sort] a::after { content: ' \\2193'; }
thead [aria-sort=ascending] a::after { content: ' \\2191'; }
tbody tr:hover { background: color-mix(in srgb, var(--accent) 7%, transparent); }
tbody + tbody tr:first-child > *, tbody:only-of-type tr + tr > * { border-top: 1px solid var(--line); }
.container, .name { text-align: left; }
tbody .container { font-weight: 600; max-width: 14rem; overflow: hidden; text-overflow: ellipsis; }
tbody .name { white-space: normal; width: 99%; min-width: 7rem; overflow-wrap: anywhere; }
tbody .container i { font-weight: 400; color: var(--quiet); }
.totals .name { color: var(--quiet); }
.totals .meter { font-weight: 600; }
.program, .arguments { color: var(--quiet); font: 0.8125rem/1.45 ui-monospace, monospace; }
.arguments { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.odd { color: var(--silent); font-size: 0.8125rem; font-weight: 600; }
.meter div { display: flex; gap: 0.75rem; align-items: center; justify-content: space-between; }
.meter svg { flex: none; width: 4.5rem; height: 6px; border-radius: 3px; background: var(--track); }
.meter rect { fill: var(--accent); }
.meter .hot rect { fill: var(--hot); }
.meter .memory rect { fill: var(--quiet); }
td small { color: var(--quiet); }
.legend { margin: 0.6rem 0 0; color: var(--quiet); font-size: 0.8125rem; max-width: 60rem; }
footer { margin-top: 1rem; color: var(--quiet); font-size: 0.8125rem; }
footer p { margin: 0.35rem 0; max-width: 60rem; }
@media (max-width: 44rem) {
  .wide { display: none; }
  th, td { padding-inline: 0.4rem; }
  th:first-child, td:first-child { padding-left: 0.75rem; }
  tbody .name { min-width: 5.5rem; }
  tbody .container { white-space: normal; overflow-wrap: break-word; max-width: 7rem; }
  .meter div { display: block; }
  .meter svg { display: block; width: 100%; min-width: 3.5rem; height: 4px; margin: 0.35rem 0 0.2rem; }
  .tiles { grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); }
}
@media (prefers-reduced-motion: no-preference) { .meter rect { transition: width 0.4s; } }
@media (forced-colors: active) { .meter svg { border: 1px solid; } .meter rect { fill: CanvasText; } }
`;
