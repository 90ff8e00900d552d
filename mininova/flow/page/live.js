// The live map, with what surrounds it: pause and pace, a filter, the last messages in words, and the legend.

import * as api from "./api.js";
import { html, refill, say, set } from "./dom.js";
import { legend } from "./legend.js";
import { Log } from "./log.js";
import { CloudMap } from "./map.js";
import { Movement } from "./movement.js";
import { playPanel } from "./play.js";
import { PACES, Playback } from "./playback.js";
import { chooser, replay } from "./replay.js";
import { tourCard } from "./tours.js";
import { kindOfService, World } from "./world.js";

// What of a message is worth a mark of its own; that it was taken from its queue, or that a cast was done, is not.
const NEWS = new Set(["http", "sent", "lost", "resent", "redelivered", "rejected", "denied", "failed", "parked"]);

// Show the map until the function that this gives is called.
export async function live(main, { query, tour, info, announce }) {
  const view = new Live(main, info, announce);
  await view.open(query, tour);
  return () => view.close();
}

function isNews({ what, kind }) {
  return NEWS.has(what) || (what === "replied" && (kind === "reply" || kind === "failed"));
}

class Live {
  constructor(main, info, announce) {
    [this.main, this.info, this.announce] = [main, info, announce];
    this.world = new World();
    this.filter = null; // {kind, name, label}
    this.map = new CloudMap((what) => this.choose(what));
    this.movement = new Movement(this.map, this.world, (message) => this.chooseRequest(message));
    this.playback = new Playback((item, drawn) => this.happen(item, drawn));
    this.log = new Log((message) => this.chooseRequest(message));
    this.listeners = []; // tours and the play panel, which want to know what happens and what is chosen
    this.clock = 0; // milliseconds in which the map was not paused
    this.changed = false;
  }

  async open(query, tour) {
    this.furnish();
    this.world.apply(await api.get("world"));
    if (this.info.play) this.playing = playPanel(this.aside, this);
    if (tour) this.listeners.push(await tourCard(this.aside, tour, this));
    this.fit = new ResizeObserver(() => this.place());
    this.fit.observe(this.stage);
    this.place();
    if (query.get("only")) this.choose({ kind: query.get("kind") ?? "service", name: query.get("only"), label: query.get("only") });
    if (query.get("replay")) await replay(query.get("replay"), this);
    else if (this.info.live) this.listen();
    else await chooser(this.aside);
    this.last = performance.now();
    this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  close() {
    cancelAnimationFrame(this.frame);
    this.fit?.disconnect();
    this.stop?.();
    this.closed = true;
  }

  listen() {
    this.stop = api.listen({
      message: (message) => isNews(message) && this.playback.add({ message }),
      world: (world) => this.playback.add({ world }),
      missed: ({ count }) => { this.playback.undrawn += count; },
      state: (open) => {
        this.announce(open ? "live" : "reconnecting…", open ? "good" : "bad");
        this.stage.classList.toggle("past", !open); // what the map says was so
      },
    });
  }

  furnish() {
    this.stage = html("div", { class: "stage" }, this.map.element);
    this.aside = html("aside", { "aria-label": "What happens" });
    this.chip = html("span", { class: "chips", role: "status" });
    this.lag = html("span", { class: "lag" });
    this.pause = html("button", { class: "pause", "aria-pressed": "false", onclick: () => this.setPaused(!this.playback.paused) }, "Pause");
    this.step = html("button", { class: "quiet", hidden: true, onclick: () => this.takeStep() }, "Next message");
    const paces = Object.entries(PACES).map(([pace, { name }]) =>
      html("label", {}, html("input", { type: "radio", name: "pace", value: pace, checked: pace === this.playback.pace, onchange: () => { this.playback.pace = pace; } }), html("span", {}, name)));
    refill(
      this.main,
      html("div", { class: "intro" },
        html("h1", {}, "A cloud, and the messages that run it"),
        html("p", {}, "Its services never call each other. They put messages into the broker’s queues; each mark below is one on its way.")),
      html("div", { class: "controls" }, this.pause, this.step, html("fieldset", { class: "paces" }, html("legend", {}, "Pace"), paces), this.chip, this.lag),
      html("div", { class: "columns" },
        html("div", {}, this.stage, legend("Instances")),
        this.aside),
    );
    this.aside.append(this.log.element);
  }

  // ---- time

  tick(now) {
    if (this.closed) return;
    if (!this.playback.paused) this.clock += Math.min(100, now - this.last);
    this.last = now;
    this.playback.tick(this.clock);
    if (this.changed) this.show();
    this.movement.tick(this.clock);
    this.log.draw();
    const { backlog, undrawn } = this.playback;
    const lag = [backlog > 3 && `${backlog} waiting`, undrawn && `${undrawn.toLocaleString("en")} not drawn`];
    say(this.lag, lag.filter(Boolean).join(", "));
    this.frame = requestAnimationFrame((next) => this.tick(next));
  }

  // Something happens, at the moment when it is to be seen.
  happen({ message, world }, drawn) {
    if (world) {
      this.world.apply(world);
      for (const listener of this.listeners) listener.changed();
    }
    if (message) {
      this.world.learn(message);
      if (drawn && this.map.layout) this.movement.start(message, this.playback.travel, this.clock);
      this.log.add(message);
      for (const listener of this.listeners) listener.happened(message);
    }
    this.changed = true;
  }

  show() {
    this.changed = false;
    if (this.shape !== this.world.shape) this.place();
    else this.map.update(this.world);
    this.playing?.refresh();
  }

  place() {
    const width = Math.floor(this.stage.clientWidth);
    if (!width) return;
    this.shape = this.world.shape;
    this.movement.clear();
    this.map.draw(this.world, width);
    this.map.mark(this.markOf(this.filter));
  }

  setPaused(paused) {
    this.playback.paused = paused;
    set(this.pause, { "aria-pressed": String(paused) });
    say(this.pause, paused ? "Go on" : "Pause");
    this.step.hidden = !paused;
  }

  // Paused, let one message happen, and travel to its end.
  takeStep() {
    this.playback.step();
    this.clock += this.playback.travel / 2;
  }

  // ---- the filter

  // Show only what has to do with a service, a queue, an instance or a request; null for all.
  choose(what) {
    const same = what && this.filter && what.kind === this.filter.kind && what.name === this.filter.name;
    this.filter = same ? null : what;
    const matches = (message) => this.matches(message);
    this.movement.filter(matches);
    this.log.filter(matches, this.filter?.label);
    this.map.mark(this.markOf(this.filter));
    this.writeChip();
    const { kind, name } = this.filter ?? {};
    const query = this.filter ? `?${new URLSearchParams({ only: name, kind })}` : "";
    if (!/[?&](replay)=|^#\/tours/.test(location.hash)) history.replaceState(null, "", `#/${query}`);
    this.playing?.choose(this.filter);
  }

  chooseRequest(message) {
    this.playing?.offerLoss(message);
    if (message.request_id) this.choose({ kind: "request", name: message.request_id, label: `request ${message.request_id.slice(0, 12)}` });
  }

  matches(message) {
    const { kind, name } = this.filter ?? {};
    if (!kind) return true;
    if (kind === "request") return message.request_id === name;
    if (kind === "queue") return this.isIn(name, message);
    if (kind === "instance") return message.server === name || message.server === this.world.instances.get(name)?.name;
    return [message.from, message.to].some((party) => this.world.boxOf(party) === name);
  }

  isIn(queue, message) {
    const box = message.kind === "reply" ? undefined : this.world.boxOf(message.to);
    return box === queue || (box && kindOfService(box) === queue);
  }

  markOf(filter) {
    return filter && (filter.kind === "queue" ? `queue ${filter.name}` : filter.name);
  }

  writeChip() {
    if (!this.filter) return refill(this.chip);
    const { kind, name, label } = this.filter;
    const page = { request: `#/requests/${encodeURIComponent(name)}`, instance: `#/servers/${encodeURIComponent(name)}` }[kind];
    return refill(
      this.chip,
      html("span", { class: "chip" }, `only ${label}`,
        html("button", { "aria-label": "Show everything again", onclick: () => this.choose(null) }, "×")),
      page && html("a", { href: page }, kind === "request" ? "its diagram" : "its life"),
    );
  }
}
