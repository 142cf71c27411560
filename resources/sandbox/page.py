"""The page a person watches: the frame, its style, and the script that keeps it fresh.

What stands in it is made by `page_parts`. The script asks for those parts again and again; with
the policy below, no text that came in can run or load anything.
"""

import secrets

from starlette.responses import HTMLResponse

from resources.sandbox.exchange import World
from resources.sandbox.page_parts import render_parts

REFRESH_MS = 2000
STYLE = """
:root { --ink: #1d2733; --soft: #5a6675; --line: #d8dee6; --paper: #fff; --blue: #2456b8; --red: #b3261e;
  --amber: #8a5a00; --green: #1f6b3a; --tint: #f3f6fa; }
@media (prefers-color-scheme: dark) { :root { --ink: #e4e9f0; --soft: #9aa7b8; --line: #323c4a; --paper: #141a22;
  --blue: #8ab4ff; --red: #ff8a80; --amber: #ffc766; --green: #7fd6a0; --tint: #1c2530; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1rem;
  color: var(--ink); background: var(--paper); }
h1 { font-size: 1.35rem; margin: 0; } h2 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
.now { font-size: 1.1rem; font-variant-numeric: tabular-nums; margin: .2rem 0; }
.soft, .who { color: var(--soft); font-size: .875rem; } .who { overflow-wrap: anywhere; }
.counts { display: flex; flex-wrap: wrap; gap: .4rem 1.4rem; margin: .6rem 0; padding: 0; list-style: none; }
.counts b { font-variant-numeric: tabular-nums; }
.sides { display: grid; grid-template-columns: minmax(0, 3fr) minmax(0, 2fr); gap: 0 2.5rem; }
@media (max-width: 52rem) { .sides { grid-template-columns: minmax(0, 1fr); } .side { grid-row: 1; } }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
td, th { text-align: left; padding: .25rem .6rem .25rem 0; border-top: 1px solid var(--line); vertical-align: top;
  overflow-wrap: break-word; }
th { font-weight: 600; color: var(--soft); border-top: 0; }
td.num, th.num { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
ol { list-style: none; margin: 0; padding: 0; }
ol li { display: grid; grid-template-columns: 4.6rem 5.2rem minmax(0, 1fr); gap: 0 .7rem; padding: .3rem 0;
  border-top: 1px solid var(--line); font-size: .9375rem; }
ol time { color: var(--soft); font-variant-numeric: tabular-nums; font-size: .875rem; }
.kind { font-size: .8125rem; font-weight: 600; color: var(--soft); }
.reply .kind { color: var(--green); } .refused .kind, .fault .kind { color: var(--red); }
.event .kind { color: var(--amber); } .failed { color: var(--red); }
@media (max-width: 30rem) { ol li { grid-template-columns: 4.6rem minmax(0, 1fr); }
  ol li .what { grid-column: 1 / -1; } }
.text { white-space: pre-wrap; overflow-wrap: anywhere; margin: .1rem 0; }
article { border-top: 1px solid var(--line); padding: .6rem 0; }
article .reply { margin: .5rem 0 0 1rem; padding: .4rem .8rem; background: var(--tint); }
summary { cursor: pointer; font-weight: 600; margin: 1.4rem 0 .4rem; }
.stale .now { color: var(--red); }
"""
SCRIPT = """
const parts = document.getElementById("parts");
const shown = () => parts.querySelector("[data-unix]");
let told = performance.now();
function tick() {
  const at = shown();
  if (!at) return;
  const gone = (performance.now() - told) / 1000 * Number(at.dataset.speed);
  const now = new Date((Number(at.dataset.unix) + gone) * 1000);
  if (!isNaN(now)) at.textContent = now.toISOString().slice(0, 19).replace("T", " ");
}
async function refresh() {
  if (document.hidden || String(getSelection())) return;
  try {
    const answer = await fetch("/sandbox/page", {cache: "no-store"});
    if (!answer.ok) throw new Error(answer.status);
    const open = [...parts.querySelectorAll("details")].map(each => each.open);
    parts.innerHTML = await answer.text();
    parts.querySelectorAll("details").forEach((each, at) => { if (at in open) each.open = open[at]; });
    told = performance.now();
    document.body.classList.remove("stale");
    document.getElementById("state").textContent = "";
  } catch (error) {
    document.body.classList.add("stale");
    document.getElementById("state").textContent = "The sandbox does not answer; this is what it last said.";
  }
}
setInterval(tick, 250);
setInterval(refresh, REFRESH);
"""


def page_response(world: World) -> HTMLResponse:
    """The whole page."""
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self';"
        " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(render_page(world, nonce), headers={"content-security-policy": policy})


def parts_response(world: World) -> HTMLResponse:
    """What changes on the page, alone."""
    return HTMLResponse(render_parts(world), headers={"cache-control": "no-store"})


def render_page(world: World, nonce: str) -> str:
    """The page as HTML; everything that came in from outside is escaped."""
    script = SCRIPT.replace("REFRESH", str(REFRESH_MS))
    return (
        "<!doctype html><html lang='en'><head><meta charset='utf-8'><title>Rejoinder sandbox</title>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<link rel='icon' href='data:,'>"
        f"<style nonce='{nonce}'>{STYLE}</style></head><body><p id='state' class='failed' role='status'></p>"
        f"<main id='parts'>{render_parts(world)}</main><script nonce='{nonce}'>{script}</script></body></html>"
    )
