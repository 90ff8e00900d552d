// A request as a sequence diagram: a lane for each service, a row for each message, and beside them the states of the
// instance as a ribbon.  The heads of the lanes are a drawing of their own, which stays in sight.

import { pressable, svg, walkable } from "./dom.js";
import { glyph, kindOf, lasting, shortened, sized, stateNamed } from "./look.js";

const ROW = 36;
const TIME = 64; // least width of the column of times
const AFTER_TIME = 22; // between a time and the lanes
const PLUS = 16; // what marks a message that the other request does not have
const FIGURES = 126; // of durations and sizes
const STATES = 206; // of the ribbon and what stands beside it
const LEAST_LANE = 88;
const STUB = 46; // the arrow of a notification, which goes to all who listen, and so to no lane
const RIBBON = 8;
const MOST_RIBBONS = 4;
const LETTER = 6.35; // pixels of one, about
const FIGURE = 7; // pixels of a digit, about

// Draw a request of the API.  Gives {head, body, width, choose}; `open(number)` is called when a message is chosen, and
// `choose(number)` marks one.  `strange` has the numbers of messages that the request beside it does not have.
export function diagram({ lanes, messages }, width, { open, strange = new Set() }) {
  const shown = lanes.filter(({ kind }) => kind !== "notifications");
  const drawing = new Drawing(shown, messages, width, strange);
  const rows = messages.map((message, number) => drawing.row(message, number, open));
  const body = drawing.sheet("diagram", messages.length * ROW + 14, drawing.lifelines(), drawing.bars(), drawing.ribbons(), rows);
  body.setAttribute("role", "group");
  body.setAttribute("aria-label", "Messages, in the order of time");
  walkable(body, ".row");
  const choose = (number) => rows.forEach((row, place) => row.classList.toggle("chosen", place === number));
  return { head: drawing.sheet("heads", 44, drawing.heads()), body, width: drawing.width, choose, rows };
}

class Drawing {
  constructor(lanes, messages, width, strange) {
    Object.assign(this, { lanes, messages, strange });
    const latest = Math.max(0, ...messages.map(({ ms }) => ms.toFixed(1).length));
    this.time = Math.max(TIME, (strange.size ? PLUS : 6) + latest * FIGURE + AFTER_TIME); // a request of minutes has long ones
    // Where there is little room, a message has to be opened for its duration and size.
    const figures = width - this.time - FIGURES - STATES >= LEAST_LANE * lanes.length ? FIGURES : 0;
    this.lane = Math.max(LEAST_LANE, (width - this.time - figures - STATES) / lanes.length);
    this.figures = this.time + this.lane * lanes.length; // where that column begins
    this.hasFigures = figures > 0;
    this.states = this.figures + Math.max(figures, 16);
    this.width = Math.round(this.states + STATES);
    this.changes = changesOf(messages);
  }

  sheet(name, height, ...parts) {
    return svg("svg", { class: name, width: this.width, height, viewBox: `0 0 ${this.width} ${height}` }, parts.flat().filter(Boolean));
  }

  heads() {
    const column = (x, text, anchor = "start") => svg("text", { x, y: 30, class: "column", "text-anchor": anchor }, text);
    return [
      ...this.lanes.map(({ name, kind }, place) => {
        const x = this.x(place);
        const [service, host] = headWords(name, kind, this.lane);
        return svg("g", { class: "head" }, svg("title", {}, name),
          svg("rect", { x: x - this.lane / 2 + 6, y: 4, width: this.lane - 12, height: 36, rx: 7, class: kind === "client" || kind === "notifications" ? "outside" : null }),
          svg("text", { x, y: host ? 19 : 27, "text-anchor": "middle", class: "title" }, service),
          host && svg("text", { x, y: 33, "text-anchor": "middle", class: "below" }, host));
      }),
      column(this.time - AFTER_TIME, "ms", "end"),
      this.hasFigures && column(this.figures + 66, "took", "end"),
      this.hasFigures && column(this.figures + FIGURES - 14, "size", "end"),
      column(this.states + 18, "state"),
    ];
  }

  lifelines() {
    const end = this.messages.length * ROW + 8;
    return svg("path", { class: "lifelines", d: this.lanes.map((_, place) => `M${this.x(place)} 0V${end}`).join("") });
  }

  // From a call to its reply, the one who was asked is at work.
  bars() {
    const open = new Map();
    const made = [];
    this.messages.forEach((message, number) => {
      if (message.kind === "call") open.set(message.message_id, number);
      else if (message.kind === "reply" && open.has(message.message_id)) {
        const from = open.get(message.message_id);
        const x = this.x(this.laneOf(this.messages[from].to));
        made.push(svg("rect", { class: "bar", x: x - 4, y: middle(from), width: 8, height: (number - from) * ROW, rx: 2 }));
        open.delete(message.message_id);
      }
    });
    return made;
  }

  // A ribbon for each instance: its colour is the state, from one change to the next.
  ribbons() {
    const servers = [...new Set(this.changes.filter(Boolean).map(({ server }) => server))].slice(0, MOST_RIBBONS);
    return servers.flatMap((server, place) => {
      const own = this.changes.map((change, number) => ({ ...change, number })).filter((change) => change.server === server);
      const x = this.states + place * (RIBBON + 3);
      return own.map(({ after, number }, index) => {
        const until = own[index + 1] ? middle(own[index + 1].number) : this.messages.length * ROW + 8;
        return svg("g", { class: `block ${stateNamed(after)}` }, svg("rect", { x, y: middle(number) + 1, width: RIBBON, height: Math.max(2, until - middle(number) - 2), rx: 2 }));
      });
    });
  }

  row(message, number, open) {
    const y = middle(number);
    const classes = ["row", kindOf(message), message.wrong && "bad", this.strange.has(number) && "strange"];
    const parts = [
      svg("rect", { class: "ground", x: 0, y: y - ROW / 2 - 3, width: this.width, height: ROW }),
      svg("text", { class: "figure", x: this.time - AFTER_TIME, y: y + 4, "text-anchor": "end" }, message.ms.toFixed(1)),
      ...this.arrow(message, y),
      this.hasFigures && svg("text", { class: "figure", x: this.figures + 66, y: y + 4, "text-anchor": "end" }, lasting(message.took_ms)),
      this.hasFigures && svg("text", { class: "figure", x: this.figures + FIGURES - 14, y: y + 4, "text-anchor": "end" }, sized(message.size)),
      ...this.outcome(message, number, y),
      this.strange.has(number) && svg("text", { class: "plus", x: 4, y: y + 4 }, "+"),
    ];
    const group = svg("g", { class: classes.filter(Boolean).join(" "), tabindex: number ? "-1" : "0" }, parts.filter(Boolean));
    return pressable(group, spoken(message), () => open(number));
  }

  arrow(message, y) {
    const kind = kindOf(message);
    const from = this.x(this.laneOf(message.from));
    const label = `${shortened(message.method)}${message.version ? ` ${message.version}` : ""}`;
    const stub = message.to === "notifications";
    const fits = from + STUB + 6 + label.length * LETTER < this.figures - 8;
    const to = stub ? from + (fits ? STUB : -STUB) : this.x(this.laneOf(message.to));
    const way = Math.sign(to - from) || 1;
    const [start, end] = [from + way * 10, to - way * 6];
    const line = from === to ? `M${from + 6} ${y - 6}h26v12h-20` : `M${start} ${y}H${end}`;
    const tip = from === to ? `M${from + 12} ${y + 6}l7 -4v8z` : `M${end + way * 5} ${y}l${-way * 8} -4v8z`;
    return [
      svg("path", { class: `trail ${kind}`, d: line }),
      svg("path", { class: `tip ${kind}`, d: tip }),
      glyph(kind, { transform: `translate(${from + way * 6} ${y})${way < 0 ? " scale(-1 1)" : ""}` }),
      stub
        ? svg("text", { class: "method", x: to + way * 6, y: y + 4, "text-anchor": fits ? "start" : "end" }, label)
        : this.label(label, Math.min(from, to) + 16, y - 7),
    ];
  }

  // The words on an arrow; they may be longer than it is, but stay among the lanes.
  label(text, x, y) {
    const wide = text.length * LETTER;
    const right = this.figures - 8;
    return svg("text", x + wide > right ? { class: "method", x: right, y, "text-anchor": "end" } : { class: "method", x, y }, text);
  }

  outcome(message, number, y) {
    const change = this.changes[number];
    const x = this.states + 18 + (Math.min(MOST_RIBBONS, countOf(this.changes)) - 1) * (RIBBON + 3);
    const said = message.error || (change && `${change.from}→ ${change.after}`) || (message.after ? "" : message.change) || "";
    const text = shortened(said);
    const most = Math.floor((this.width - x) / LETTER) - 1;
    const short = text.length > most ? `${text.slice(0, most)}…` : text;
    const tick = change && svg("path", { class: "tick", d: `M${this.states - 4 + Math.min(change.place, MOST_RIBBONS) * (RIBBON + 3)} ${y}h${RIBBON + 8}` });
    const writer = change && this.x(this.laneOf(message.to.startsWith("conductor") ? message.to : message.from));
    const write = change && svg("rect", { class: "write", x: writer - 4, y: y + 8, width: 8, height: 4, rx: 1 });
    return [tick, write, short && svg("text", { class: message.wrong ? "error" : change ? "after" : "said", x, y: y + 4 }, short)];
  }

  x(place) {
    return this.time + this.lane * (place + 0.5);
  }

  laneOf(party) {
    const exact = this.lanes.findIndex(({ name }) => name === party);
    if (exact >= 0) return exact;
    const kind = party.split(".")[0];
    return Math.max(0, this.lanes.findIndex((lane) => lane.name.split(".")[0] === kind));
  }
}

// For each message, the step that it makes in the state of its instance, or null: several messages tell of the same one.
function changesOf(messages) {
  const states = new Map();
  return messages.map(({ server, before, after }) => {
    const known = states.get(server);
    if (!after || !server || after === known) return null; // one that is about many says nothing of each
    states.set(server, after);
    return { server, after, from: before && before !== known ? `${before} ` : "", place: [...states.keys()].indexOf(server) };
  });
}

function countOf(changes) {
  return Math.max(1, new Set(changes.filter(Boolean).map(({ server }) => server)).size);
}

function middle(number) {
  return number * ROW + ROW / 2 + 5;
}

// The words of a lane's head: the service, and below it the host.
function headWords(name, kind, width) {
  const dot = name.indexOf(".");
  const [service, host] = dot < 0 ? [name, ""] : [name.slice(0, dot), name.slice(dot + 1)];
  const cut = (text) => (text.length * 7 > width - 16 ? `${text.slice(0, Math.floor((width - 16) / 7) - 1)}…` : text);
  return kind === "compute" && host ? [cut(host), "compute"] : [cut(service), cut(host)];
}

function spoken(message) {
  const { ms, kind, method, version, from, to, before, after, change, error } = message;
  const outcome = error ? `, error: ${error}` : before && after ? `, state ${before} to ${after}` : change ? `, ${change}` : "";
  return shortened(`${ms.toFixed(1)} ms, ${kind} ${method} ${version ?? ""}, from ${from} to ${to}${outcome}`);
}
