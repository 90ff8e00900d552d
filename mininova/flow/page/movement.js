// Messages on their way: each is a mark that goes from box to box through a queue, and leaves a line that fades.

import { set, svg } from "./dom.js";
import { along, drawn, way } from "./layout.js";
import { glyph, kindOf } from "./look.js";
import { PACES } from "./playback.js";
import { kindOfService } from "./world.js";

const MOST = 80; // marks at a time; the rest arrive without being drawn
const MOST_WORDS = 3; // marks that carry their names
const MOST_OF_A_FANOUT = 8;

const still = matchMedia("(prefers-reduced-motion: reduce)");

export class Movement {
  // `pick(message)` is called when a mark is chosen.
  constructor(map, world, pick) {
    [this.map, this.world, this.pick] = [map, world, pick];
    this.moving = new Set();
  }

  // Send a message on its way; `travel` is in milliseconds.
  start(message, travel, now) {
    if (message.kind === "lost") this.stop(message);
    for (const [from, to, queue] of this.ends(message)) {
      const route = this.moving.size < MOST && way(this.map.layout, from, to, queue);
      if (route) this.launch(message, route, to, travel, now);
      else this.map.touch(to, message.wrong);
    }
  }

  // Take a message away that was lost on its way: what tells so goes in its place.
  stop({ message_id: id }) {
    for (const one of this.moving) if (one.message.message_id === id) this.end(one);
  }

  // Move every mark; `now` stands still while the map is paused.
  tick(now) {
    for (const one of this.moving) {
      const share = (now - one.began) / one.travel;
      if (share < 1) this.draw(one, share);
      else if (share < 1.5) this.fade(one, share);
      else this.end(one);
    }
  }

  // Forget all marks: the boxes stand elsewhere now.
  clear() {
    for (const one of this.moving) this.end(one);
  }

  // Show what a filter leaves.
  filter(matches) {
    for (const one of this.moving) dim(one, matches);
    this.matches = matches;
  }

  // The ways of a message: [from, to, queue] each; a fanout has many.
  ends({ from, to, kind }) {
    const start = this.world.placeOf(from);
    if (kind === "fanout") {
      const service = kindOfService(to.replace(/^every /, ""));
      const all = [...this.world.services.keys()].filter((name) => kindOfService(name) === service);
      return all.slice(0, MOST_OF_A_FANOUT).map((name) => [start, name, name]);
    }
    const end = this.world.placeOf(to.endsWith(".dead") ? from : to);
    const replies = kind === "reply" || kind === "rejected" || kind === "denied" || kind === "failed";
    return start && end ? [[start, kind === "lost" ? "" : end, replies ? "" : queueOf(end)]] : []; // lost: it comes to no box
  }

  launch(message, route, to, travel, now) {
    const kind = kindOf(message);
    const trail = svg("path", { class: `trail ${kind}`, d: drawn(route) });
    const mark = svg("g", { class: "mover" }, svg("circle", { r: 12, class: "catch" }), glyph(kind));
    const one = { message, route, to, travel, began: now, mark, trail, arrived: false };
    mark.addEventListener("click", () => this.pick(message));
    this.map.trails.append(trail);
    this.map.marks.append(mark);
    if (this.deservesWords(kind, travel)) mark.append((one.tag = tag(message)));
    this.moving.add(one);
    if (this.matches) dim(one, this.matches);
    this.draw(one, 0);
  }

  // How far below its mark a name stands: towards the broker, where it hides no box.
  besides(one, y) {
    const { band } = this.map.layout;
    if (one.message.kind === "http") return 46;
    return y < band.y + band.height / 2 ? 20 : -19;
  }

  // Few marks carry their name, and at an ordinary pace only those that ask for something.
  deservesWords(kind, travel) {
    const named = [...this.moving].filter((one) => one.tag && !one.arrived).length;
    const asks = kind !== "reply" && kind !== "notification";
    return named < MOST_WORDS && travel >= PACES.easy.travel && (asks || travel > PACES.easy.travel);
  }

  draw(one, share) {
    const { x, y } = along(one.route, still.matches ? 1 : share);
    set(one.mark, { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
    if (one.tag) set(one.tag, { transform: `translate(0 ${this.besides(one, y)})` });
  }

  fade(one, share) {
    if (!one.arrived) {
      one.arrived = true;
      this.map.touch(one.to, one.message.wrong);
      one.mark.remove();
    }
    one.trail.style.opacity = String(Math.max(0, 0.55 * (1.5 - share) * 2));
  }

  end(one) {
    one.mark.remove();
    one.trail.remove();
    this.moving.delete(one);
  }
}

function dim(one, matches) {
  for (const part of [one.mark, one.trail]) part.classList.toggle("dimmed", !matches(one.message));
}

// The name of a message on a small card above its mark.
function tag(message) {
  const text = message.kind === "http" ? spoken(message.method) : message.method;
  const width = text.length * 6.5 + 14;
  return svg("g", { class: "tag" },
    svg("rect", { x: -width / 2, y: -10, width, height: 19, rx: 4 }),
    svg("text", { y: 4, "text-anchor": "middle" }, text));
}

// "POST servers" of "POST /v2.1/servers".
function spoken(method) {
  const [verb, path = ""] = method.split(" ");
  const words = path.split("?")[0].split("/").filter((part) => part && !/^v\d|^[0-9a-f-]{32,36}…?$/.test(part));
  return [verb, ...words].join(" ");
}

// The queue that the receiver in a box takes messages from: a host has its own, services of a kind share one.
function queueOf(box) {
  return kindOfService(box) === "compute" ? box : kindOfService(box);
}
