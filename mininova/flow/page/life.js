// The life of an instance: its states one below the other, with the requests that caused them and the hosts it was on.

import * as api from "./api.js";
import { html, refill, svg } from "./dom.js";
import { block, doing, lasting, moment, shortened, stateOf } from "./look.js";

// Show the life of an instance.
export async function life(main, { uuid }) {
  const found = await api.get(`instances/${encodeURIComponent(uuid)}`);
  const last = found.steps.at(-1);
  refill(
    main,
    html("h1", {}, found.name || shortened(uuid)),
    html("p", { class: "facts" }, html("code", {}, found.uuid), last && ` · now ${doing(last)}`, last?.host && ` on ${last.host}`),
    found.steps.length ? timeline(found) : html("p", { class: "notice" }, "Nothing of its states has been kept."),
    html("h2", { class: "after" }, "All its requests"),
    html("ul", { class: "its-requests" }, found.requests.map((request) => html("li", { class: request.errors ? "bad" : null },
      html("time", {}, moment(request.began)),
      html("a", { href: `#/requests/${encodeURIComponent(request.request_id)}` }, shortened(request.what)),
      html("span", { class: "who" }, `${request.message_count} messages, ${lasting(request.took_ms)}`)))),
  );
}

function timeline({ steps, requests }) {
  const titles = new Map(requests.map((request) => [request.request_id, request.what]));
  const groups = [];
  const told = folded(steps);
  told.forEach((step, place) => {
    if (step.request_id !== groups.at(-1)?.id) groups.push({ id: step.request_id, steps: [] });
    groups.at(-1).steps.push({ ...step, next: told[place + 1], before: told[place - 1] });
  });
  return html("ol", { class: "timeline" }, groups.map(({ id, steps: own }) => html("li", {}, cause(id, own[0], titles.get(id)), html("ol", {}, own.map(row)))));
}

// The steps without those that say of a state what the step before said already; their events are added to its own.
function folded(steps) {
  const told = [];
  for (const step of steps) {
    const last = told.at(-1);
    const same = last && ["vm_state", "task_state", "host", "request_id"].every((key) => last[key] === step[key]);
    if (same && step.event) last.events.push(step.event);
    if (!same) told.push({ ...step, events: step.event ? [step.event] : [] });
  }
  return told;
}

function cause(id, step, title) {
  const what = shortened(title ?? step.what ?? "by itself");
  return html("h2", {}, html("time", {}, moment(step.at)), id ? html("a", { href: `#/requests/${encodeURIComponent(id)}` }, what) : what);
}

// One state: how long it lasted is the length of its ribbon, on a scale that shows milliseconds and hours alike.
function row(step) {
  const { next, before } = step;
  const lasted = next ? (next.at - step.at) * 1_000 : null;
  const high = lasted === null ? 34 : Math.min(64, 26 + 7 * Math.log10(1 + lasted));
  const state = stateOf(step);
  const ribbon = svg("svg", { class: "ribbon", width: 16, height: high, "aria-hidden": "true" },
    svg("g", { class: `block ${state}` }, svg("rect", { x: 4, y: 1, width: 8, height: high - 2, rx: 2 })),
    svg("g", { transform: "translate(8 13)" }, block(state, 14)));
  const moved = step.host && step.host !== before?.host;
  return html("li", {},
    html("span", { class: "since" }, lasted === null ? "until now" : lasting(lasted)),
    ribbon,
    html("span", { class: "state" }, html("b", {}, step.task_state ?? step.vm_state ?? "unknown"), step.task_state && html("span", { class: "who" }, ` ${step.vm_state}`)),
    html("span", { class: `host${moved ? " moved" : ""}` }, moved ? `→ ${step.host}` : (step.host ?? "")),
    html("span", { class: "who event" }, [...new Set(step.events)].join(", ")));
}
