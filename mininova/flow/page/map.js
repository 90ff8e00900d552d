// The map: draws the world where layout.js places it.  The boxes are made once for each layout; what changes in them
// (states, depths, instances) is written into what is there.

import { pressable, refill, say, set, svg, walkable } from "./dom.js";
import { place } from "./layout.js";
import { block, doing, stateOf } from "./look.js";
import { hostOf, kindOfService } from "./world.js";

const STATE_MARKS = { up: "●", down: "✕", disabled: "◐", unknown: "○" };

export class CloudMap {
  // `pick(what)` is called when a box, a queue or an instance is chosen: {kind, name, label}.
  constructor(pick) {
    this.pick = pick;
    this.layout = null;
    // From below to above, the lines of messages and their marks being movement.js's:
    this.ground = svg("g", {}); // the broker and the hosts
    this.trails = svg("g", { "aria-hidden": "true" });
    this.front = svg("g", {}); // queues and services
    this.marks = svg("g", { "aria-hidden": "true" });
    const layers = [this.ground, this.trails, this.front, this.marks];
    this.element = svg("svg", { class: "map", role: "group", "aria-label": "Map of the cloud" }, layers);
    this.parts = new Map(); // name of a box → its elements
    this.drawnInstances = new Map(); // host → what is drawn there
    walkable(this.element, ".host > .face", () => this.layout.columns);
  }

  // Place everything anew.
  draw(world, width) {
    this.layout = place(world, width);
    this.parts.clear();
    this.drawnInstances.clear();
    const { band, height } = this.layout;
    set(this.element, { width, height, viewBox: `0 0 ${width} ${height}` });
    const broker = svg(
      "g",
      { class: "broker" },
      svg("rect", { ...band, rx: 10 }),
      svg("text", { x: band.x + 14, y: band.y + band.height / 2 + 4, class: "title" }, "broker"), // between its rows of queues
    );
    const boxes = (above) => [...this.layout.boxes].filter(([, box]) => box.above === above).map(([name, box]) => this.box(name, box, world));
    const pills = [...this.layout.pills].map(([name, pill]) => this.pill(name, pill));
    const strip = svg("g", { class: "strip", transform: `translate(${this.layout.strip.x} ${this.layout.strip.y})` });
    this.parts.set("", { blocks: strip });
    refill(this.ground, broker, this.stems(), boxes(false), strip);
    refill(this.front, pills, boxes(true));
    this.update(world);
  }

  // Write what has changed.
  update(world) {
    for (const service of world.services.values()) this.writeService(service);
    this.writeQueues(world);
    const byHost = world.instancesByHost();
    for (const name of this.parts.keys()) {
      if (name === "" || kindOfService(name) === "compute") this.writeInstances(hostOf(name), name, byHost);
    }
  }

  // Let a box light up for a moment: something arrived there.
  touch(name, wrong) {
    const part = this.parts.get(name);
    if (!part?.frame?.animate) return;
    const colour = wrong ? "var(--wrong)" : "var(--touch)";
    part.frame.animate([{ stroke: colour, strokeWidth: 3 }, {}], { duration: wrong ? 2_500 : 500, easing: "ease-out" });
  }

  // Show which box, queue or instance is chosen.
  mark(chosen) {
    for (const element of this.element.querySelectorAll("[data-name]")) {
      element.classList.toggle("chosen", chosen !== null && element.dataset.name === chosen);
    }
  }

  box(name, box, world) {
    const outside = name === "client" || name === "notifications";
    const host = !box.above;
    const frame = svg("rect", { width: box.width, height: box.height, rx: host && this.layout.detail === "cell" ? 2 : 8, class: "frame" });
    const face = svg("g", { class: "face" }, svg("title", {}), frame); // all of it but the instances, which are buttons, too
    const group = svg("g", { transform: `translate(${box.x} ${box.y})`, "data-name": name }, face);
    const part = { group, face, frame, title: face.firstChild, box };
    this.parts.set(name, part);
    if (outside) {
      set(group, { class: "box outside" });
      face.append(...this.words(box, name === "client" ? "client" : "listeners", name === "client" ? "asks by HTTP" : "of notifications"));
      part.title.remove();
      return group;
    }
    const service = world.services.get(name);
    set(group, { class: host ? `box host ${this.layout.detail}` : "box service" });
    part.classes = group.getAttribute("class");
    if (!host || this.layout.detail !== "cell") this.furnish(part, service, host);
    if (host) group.append((part.blocks = svg("g", { class: "blocks" })));
    pressable(face, name, () => this.pick({ kind: "service", name, label: name }));
    if (host && name !== this.firstHost()) set(face, { tabindex: "-1" });
    return group;
  }

  words(box, title, below) {
    return [
      svg("text", { x: 12, y: 26, class: "title" }, title),
      svg("text", { x: 12, y: 46, class: "below" }, below),
    ];
  }

  furnish(part, service, host) {
    const tile = host && this.layout.detail === "tile";
    const kind = host ? service.host : kindOfService(service.name);
    const middle = tile ? 17 : 26;
    part.state = svg("text", { x: part.box.width - 10, y: middle, "text-anchor": "end", class: "state" });
    part.face.append(svg("text", { x: tile ? 8 : 12, y: middle, class: "title" }, kind), part.state);
    if (tile) return;
    part.below = svg("text", { x: 12, y: 46, class: "below" });
    part.face.append(part.below);
  }

  pill(name, { x, y, width, height }) {
    const frame = svg("rect", { width, height, rx: height / 2, class: "frame" });
    const depth = svg("text", { x: width - 11, y: 16.5, "text-anchor": "end", class: "depth" });
    const title = svg("text", { x: 12, y: 16.5, class: "name" });
    const group = svg("g", { class: "queue", transform: `translate(${x} ${y})`, "data-name": `queue ${name}` }, frame, title, depth);
    this.parts.set(`queue ${name}`, { group, frame, depth, title });
    if (name === "compute") return group;
    say(title, fitting(kindOfService(name) === "compute" ? hostOf(name) : name, width - 18));
    return pressable(group, `queue ${name}`, () => this.pick({ kind: "queue", name, label: `queue ${name}` }));
  }

  // Thin lines from each box to the broker.
  stems() {
    const { boxes, band, detail } = this.layout;
    const shown = [...boxes].filter(([name, box]) => name !== "client" && (box.above || detail === "card"));
    const line = ({ x, y, width, height, above }) => {
      const centre = x + width / 2;
      return above ? `M${centre} ${y + height}V${band.y}` : `M${centre} ${band.y + band.height}V${y}`;
    };
    const [client, api] = [boxes.get("client"), [...boxes].find(([name]) => kindOfService(name) === "api")?.[1]];
    const outside = client && api && client.y === api.y ? `M${client.x + client.width} ${client.y + client.height / 2}H${api.x}` : "";
    return svg("path", { class: "stems", d: shown.map(([, box]) => line(box)).join("") + outside });
  }

  writeService(service) {
    const part = this.parts.get(service.name);
    if (!part) return;
    const state = service.state ?? "unknown";
    set(part.group, { class: `${part.classes} ${state}${part.group.classList.contains("chosen") ? " chosen" : ""}` });
    const label = `${service.name}: ${state}${service.version ? `, version ${service.version}` : ""}, ${service.in_flight ?? 0} in flight`;
    set(part.face, { "aria-label": label });
    say(part.title, label);
    if (part.state) say(part.state, this.layout.detail === "tile" && !part.box.above ? STATE_MARKS[state] : `${STATE_MARKS[state]} ${state}`);
    if (part.below) say(part.below, [service.version && `v${service.version}`, service.in_flight && `${service.in_flight} in flight`].filter(Boolean).join(" · ") || service.host);
  }

  writeQueues(world) {
    let [count, sum] = [0, 0];
    for (const queue of world.queues.values()) {
      if (kindOfService(queue.name) === "compute") [count, sum] = [count + 1, sum + queue.depth];
      this.writeDepth(`queue ${queue.name}`, queue.depth);
    }
    const all = this.parts.get("queue compute");
    if (all) say(all.title, `${world.computes().length.toLocaleString("en")} queues of hosts`);
    this.writeDepth("queue compute", sum);
  }

  writeDepth(name, depth) {
    const part = this.parts.get(name);
    if (!part) return;
    say(part.depth, depth ? String(depth) : "");
    part.group.classList.toggle("filled", depth > 0);
    part.group.classList.toggle("full", depth > 100);
  }

  writeInstances(host, name, byHost) {
    const found = byHost.get(name === "" ? "" : host) ?? [];
    const signature = found.map((one) => `${one.uuid}${one.vm_state}${one.task_state}`).join();
    if (this.drawnInstances.get(name) === signature) return;
    const before = new Set((this.drawnInstances.get(name) ?? "").match(/[0-9a-f-]{36}/g));
    this.drawnInstances.set(name, signature);
    const { size, gap, pad, head, perRow, most } = name === "" ? { size: 14, gap: 5, pad: 8, head: 0, perRow: 99, most: Math.max(4, Math.floor((this.layout.width - 190) / 19)) } : this.layout.blocks;
    const room = found.length > most && size > 8 ? most - 2 : most;
    const blocks = found.slice(0, room).map((instance, place) => {
      const x = pad + (place % perRow) * (size + gap) + size / 2;
      const y = (head || pad) + Math.floor(place / perRow) * (size + gap) + size / 2;
      return this.instance(instance, size, `translate(${x} ${y})`, !before.has(instance.uuid));
    });
    if (found.length > room && size > 8) {
      const last = (head || pad) + Math.floor((room - 1) / perRow) * (size + gap) + size - 2;
      blocks.push(svg("text", { class: "more", x: pad + perRow * (size + gap) - gap, y: last, "text-anchor": "end" }, `+${found.length - room}`));
    }
    if (name === "" && blocks.length) {
      blocks.push(svg("text", { class: "below", x: pad + Math.min(found.length, most) * 19 + 6, y: 19 }, "not on a host"));
    }
    refill(this.parts.get(name).blocks, blocks);
  }

  instance(instance, size, transform, fresh) {
    const label = `${instance.name || instance.uuid}: ${doing(instance)}`;
    const shape = block(stateOf(instance), size);
    const group = svg("g", { class: `instance${fresh ? " fresh" : ""}`, transform, "data-name": instance.uuid }, svg("title", {}, label), shape);
    if (size < 12) return group;
    return pressable(group, label, (event) => {
      event.stopPropagation();
      this.pick({ kind: "instance", name: instance.uuid, label: instance.name || instance.uuid });
    });
  }

  firstHost() {
    return [...this.layout.boxes].find(([, box]) => !box.above)?.[0];
  }
}

// Cut a name to some pixels; letters of the map are some 6.3 of them wide.
function fitting(name, width) {
  const most = Math.max(3, Math.floor(width / 6.3));
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}
