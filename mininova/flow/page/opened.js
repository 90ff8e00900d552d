// A message that is opened: what is known of it, what it carries, and the method that handles it.

import * as api from "./api.js";
import { html, refill, say } from "./dom.js";
import { icon, kindOf, KINDS, lasting, shortened, sized } from "./look.js";
import { asks } from "./play.js";
import { kindOfService } from "./world.js";

// Fill an element with a message; `close` is called by its button.
export async function opened(element, message, close) {
  const kind = kindOf(message);
  const code = html("div", { class: "handler" });
  refill(
    element,
    html("div", { class: "bar" },
      icon(kind),
      html("h2", { tabindex: "-1" }, message.method, message.version && html("span", { class: "version" }, ` ${message.version}`)),
      html("button", { "aria-label": "Close the message", onclick: close }, "×")),
    message.error && html("p", { class: "error" }, message.error),
    facts(message, kind),
    api.hasToken() && asks(message) && losing(message),
    payload(message),
    code,
  );
  element.scrollTop = 0;
  if (!message.handler) return;
  try {
    refill(code, handler(await api.get(message.handler.replace(/^\/?api\//, ""))));
  } catch (error) {
    refill(code, html("p", { class: "hint" }, `Its source is not shown: ${error.message}`));
  }
}

function facts(message, kind) {
  const { from, to, ms, took_ms: took, size, change, server, message_id: id } = message;
  const rows = [
    ["is a", message.kind in KINDS ? `${KINDS[kind].name}: ${KINDS[kind].about}` : message.kind],
    ["from", from],
    ["to", to],
    ["sent", `${ms.toFixed(1)} ms after the first`],
    ["took", lasting(took)],
    ["size", sized(size)],
    ["says", change],
    ["about", server],
    ["id", id],
  ];
  return html("dl", {}, rows.filter(([, value]) => value).map(([name, value]) => [html("dt", {}, name), html("dd", {}, shortened(value))]).flat());
}

// The button that has the next message of a kind be lost; where the page may not play, the server says so.
function losing({ method, from }) {
  const sender = kindOfService(from);
  const answer = html("span", { class: "hint", role: "status" });
  const lose = () => api.play("losses", { rule: { method, sender } }).then(() => say(answer, "The next one will be lost."), (error) => say(answer, error.message));
  return html("p", { class: "buttons" }, html("button", { type: "button", onclick: lose }, `Lose the next ${method} of ${sender}`), answer);
}

function payload({ kind, payload: carried }) {
  if (carried === null || carried === undefined) return null;
  const empty = typeof carried === "object" && Object.keys(carried).length === 0;
  const title = kind === "reply" ? "What it brings" : "What it carries";
  return html("section", {}, html("h3", {}, title), empty ? html("p", { class: "hint" }, "Nothing.") : tree(carried));
}

// Plain data as it is written in JSON; what lies deep or is long can be unfolded.
function tree(value, depth = 0) {
  if (typeof value === "string" && value.includes("\n")) return html("span", { class: "value string lines" }, value);
  if (value === null || typeof value !== "object") return html("span", { class: `value ${value === null ? "null" : typeof value}` }, JSON.stringify(value));
  const entries = Object.entries(value);
  const list = Array.isArray(value);
  if (!entries.length) return html("span", { class: "value null" }, list ? "[]" : "{}");
  const shown = entries.slice(0, 200).map(([name, item]) => entry(list ? "" : name, item, depth));
  if (entries.length > 200) shown.push(html("li", { class: "hint" }, `and ${entries.length - 200} more`));
  return html("ul", { class: "tree" }, shown);
}

function entry(name, item, depth) {
  const nested = item !== null && typeof item === "object" && Object.keys(item).length > 0;
  const key = name && html("span", { class: "key" }, name);
  if (!nested) return html("li", {}, key, key && " ", tree(item, depth + 1));
  const count = Object.keys(item).length;
  const about = html("span", { class: "hint" }, Array.isArray(item) ? ` ${count} in a list` : count === 1 ? " 1 field" : ` ${count} fields`);
  return html("li", {}, html("details", { open: depth < 1 && count <= 12 }, html("summary", {}, key || "item", about), tree(item, depth + 1)));
}

function handler({ name, file, line, doc, source }) {
  return html("section", {},
    html("h3", {}, "The method that handles it"),
    html("p", {}, html("code", { class: "name" }, name), html("span", { class: "hint" }, ` ${file}:${line}`)),
    doc && html("p", { class: "doc" }, doc.split("\n\n")[0].replaceAll("\n", " ")),
    html("pre", { tabindex: "0", role: "region", "aria-label": `Source of ${name}` }, unindented(source)));
}

// A source without the indentation that all its lines have.
export function unindented(source) {
  const indent = /^ */.exec(source)[0].length;
  return source.split("\n").map((line) => line.slice(Math.min(indent, /^ */.exec(line)[0].length))).join("\n");
}
