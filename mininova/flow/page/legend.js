// The legend: what shapes and colours mean, made of the tables that draw them.

import { html, svg } from "./dom.js";
import { block, icon, KINDS, STATES } from "./look.js";

// What stands below a map or a diagram; `states` is what the colours of states are called there.
export function legend(states) {
  return html("div", { class: "legend" },
    part("Messages", Object.entries(KINDS).map(([kind, { name, about }]) => entry(sample(kind), name, about))),
    part(states, Object.keys(STATES).map((state) => entry(square(state), STATES[state].about))));
}

function part(title, entries) {
  return html("section", {}, html("h2", {}, title), html("ul", {}, entries));
}

function entry(picture, name, about = "") {
  return html("li", { title: about || null }, picture, html("span", {}, name));
}

// The shape of a kind on a piece of its line.
function sample(kind) {
  const line = svg("path", { class: `trail ${kind}`, d: "M-22 0H-8M8 0H22" });
  return svg("svg", { class: "sample", viewBox: "-24 -9 48 18", "aria-hidden": "true" }, line, icon(kind).firstChild);
}

function square(state) {
  return svg("svg", { class: "icon", viewBox: "-8 -8 16 16", "aria-hidden": "true" }, block(state, 14));
}
