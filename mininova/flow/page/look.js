// How things look, as tables: the kinds of messages, each with a shape of its own beside its colour, and the states of
// instances, each with a mark of its own.  The legends are made of the same tables as the drawings.

import { svg } from "./dom.js";

// kind → what it is called, what it means, its shape, and how its arrow is drawn (a name of a class in style.css).
export const KINDS = {
  http: { name: "HTTP request", about: "from outside, to the api", shape: "square", line: "solid" },
  call: { name: "call", about: "its sender waits for a reply", shape: "disc", line: "solid" },
  reply: { name: "reply", about: "the answer to a call", shape: "ring", line: "dashed" },
  cast: { name: "cast", about: "its sender does not wait", shape: "triangle", line: "solid" },
  fanout: { name: "fanout", about: "a cast to every service of a kind", shape: "triangles", line: "solid" },
  notification: { name: "notification", about: "told to all who listen", shape: "diamond", line: "dotted" },
  wrong: { name: "trouble", about: "lost on purpose, refused, failed, sent again or given up", shape: "cross", line: "solid" },
};

const TROUBLE = new Set(["lost", "rejected", "denied", "failed", "resent", "redelivered", "parked"]);

// The name of a message's look in KINDS.
export function kindOf(message) {
  if (TROUBLE.has(message.kind) || (message.error && message.kind !== "reply")) return "wrong";
  return message.kind in KINDS ? message.kind : "cast";
}

// Shapes around (0, 0), some ten pixels wide.
const SHAPES = {
  square: "M-5-5h10v10h-10z",
  disc: "M-5 0a5 5 0 1 0 10 0a5 5 0 1 0-10 0z",
  ring: "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
  triangle: "M-4.5-5.5L6 0L-4.5 5.5z",
  triangles: "M-7-5L0 0L-7 5zM0-5L7 0L0 5z",
  diamond: "M0-5.5L5.5 0L0 5.5L-5.5 0z",
  cross: "M-5-5L5 5M5-5L-5 5",
};

// The shape of a kind, to be put anywhere in a drawing.
export function glyph(kind, attributes = {}) {
  const { shape } = KINDS[kind];
  return svg("path", { ...attributes, d: SHAPES[shape], class: `glyph ${kind} ${shape} ${attributes.class ?? ""}` });
}

// The same as a small picture beside a text.
export function icon(kind) {
  return svg("svg", { class: "icon", viewBox: "-8 -8 16 16", "aria-hidden": "true" }, glyph(kind));
}

// ---- instances

// look → what the legend says, and the mark on the block (empty: the colour alone, of a block that is full).
export const STATES = {
  active: { about: "active", mark: "" },
  busy: { about: "on its way (building, moving, stopping…)", mark: "M-3.5 0h7M1 -2.5L3.5 0L1 2.5" },
  stopped: { about: "stopped", mark: "M-2.5-2.5h5v5h-5z" },
  paused: { about: "paused or suspended", mark: "M-2-3v6M2-3v6" },
  error: { about: "in error", mark: "M-3-3L3 3M3-3L-3 3" },
  other: { about: "shelved, rescued, resized", mark: "M-3 0h6" },
};

const BY_VM_STATE = {
  active: "active",
  building: "busy",
  stopped: "stopped",
  paused: "paused",
  suspended: "paused",
  error: "error",
};

// The name of an instance's look in STATES.
export function stateOf(instance) {
  if (instance.task_state) return "busy";
  return BY_VM_STATE[instance.vm_state] ?? "other";
}

// The look of a state that a message names: a vm_state, or a task_state on the way to one.
export function stateNamed(name) {
  if (!name) return "other";
  if (name in BY_VM_STATE) return BY_VM_STATE[name];
  return /^(shelved|rescued|resized|soft-delete$|deleted)/.test(name) ? "other" : "busy";
}

// What an instance is doing, in words.
export function doing(instance) {
  return instance.task_state ? `${instance.vm_state}, ${instance.task_state}` : (instance.vm_state ?? "unknown");
}

// A block for an instance, `size` pixels wide; small ones have no room for a mark.
export function block(state, size) {
  const half = size / 2;
  const { mark } = STATES[state];
  return svg(
    "g",
    { class: `block ${state}` },
    svg("rect", { x: -half, y: -half, width: size, height: size, rx: size > 8 ? 2.5 : 1 }),
    mark && size >= 12 && svg("path", { d: mark, class: "mark", transform: `scale(${size / 13})` }),
  );
}

// ---- figures

// Milliseconds as a person would say them.
export function lasting(ms) {
  if (ms === null || ms === undefined) return "";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  return ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;
}

// Bytes, likewise.
export function sized(bytes) {
  if (!bytes) return "";
  return bytes < 1_000 ? `${bytes} B` : `${(bytes / 1_000).toFixed(1)} kB`;
}

// Leave of each uuid its first eight digits, which say which one is meant.
export function shortened(text) {
  return String(text ?? "").replace(/([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "$1…");
}

// A moment, in seconds since the epoch, as a time of day.
export function moment(at) {
  return new Date(at * 1_000).toLocaleTimeString([], { hour12: false });
}
