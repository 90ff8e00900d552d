// Guided tours: a card beside the live map that says what to look for, waits until the stream brings it, and goes on.

import * as api from "./api.js";
import { html, refill, say } from "./dom.js";
import { shortened } from "./look.js";
import { unindented } from "./opened.js";
import { hostOf } from "./world.js";

const MOST_PASSED = 500;

// What a text of a tour means by a name in braces: computes of this cloud, chosen when it is first spoken of.
const PARTS = {
  compute: (world) => world.computes().slice(0, 1),
  // One that could ask for an instance of another host.
  stranger: (world) => world.computes().filter(({ host }) => [...world.instances.values()].some((one) => one.host && one.host !== host)).slice(0, 1),
  // The hosts that the scheduler will prefer.
  emptiest: (world) => {
    const has = world.instancesByHost();
    const count = ({ name }) => has.get(hostOf(name))?.length ?? 0;
    return world.computes().filter(({ state }) => state === "up").sort((one, other) => count(one) - count(other)).slice(0, 2);
  },
};

// The list of tours.
export async function tours(main) {
  const { tours: all } = await api.get("tours");
  refill(
    main,
    html("h1", {}, "Tours"),
    html("p", { class: "hint" }, "Each runs on the live cloud, tells what happens while it happens, and waits for you."),
    html("ul", { class: "tours" }, all.map(({ id, title, about, steps }) => html("li", {},
      html("a", { href: `#/tours/${encodeURIComponent(id)}` }, html("h2", {}, title), html("p", {}, about), html("span", { class: "who" }, `${steps.length} steps`))))),
  );
}

// Put the card of a tour before what is there.  Gives {happened}, to be called with each message.
export async function tourCard(aside, id, view) {
  const { tours: all } = await api.get("tours");
  const tour = all.find((one) => one.id === id);
  if (!tour) throw new api.Refused(404, `There is no tour ${id}.`);
  const card = new Card(tour, view);
  aside.prepend(card.element);
  card.show(0);
  return card;
}

class Card {
  constructor(tour, view) {
    [this.tour, this.view] = [tour, view];
    this.place = 0;
    this.request = null; // the id of the request that the tour follows, once a step has seen its first message
    this.parts = new Map(); // name in braces → computes
    this.passed = []; // messages that no step has waited for yet: an event of HTTP is told when its answer is out
    this.count = html("p", { class: "count" });
    this.sentence = html("p", { class: "sentence", "aria-live": "polite" });
    this.state = html("p", { class: "waiting", role: "status" });
    this.buttons = html("div", { class: "buttons" });
    this.code = html("div", {});
    this.element = html("section", { class: "tour", "aria-label": `Tour: ${tour.title}` },
      html("div", { class: "bar" }, html("h2", {}, tour.title), html("a", { href: "#/", "aria-label": "End the tour" }, "×")),
      this.count, this.sentence, this.state, this.buttons, this.code);
  }

  // A message came by: it may be what this step waits for.
  happened(message) {
    const { wait_for: wanted } = this.tour.steps[this.place];
    if (!this.seen && this.fits(message, wanted)) this.meet(message);
    else if (this.passed.push(message) > MOST_PASSED) this.passed.shift();
  }

  // The world changed: a step may wait for the state of a service.
  changed() {
    const wanted = this.tour.steps[this.place].wait_for?.state;
    if (this.seen || !wanted) return;
    const found = this.view.world.services.get(this.filled(wanted.service));
    if (found?.state === wanted.is) this.arrive(`Here it is: ${found.name} is ${found.state}.`);
  }

  // A message is what the step waited for.
  meet(message) {
    this.request ??= message.request_id;
    const version = message.version && ` ${message.version}`;
    const why = message.error && ` ${shortened(message.error)}.`;
    this.arrive(`Here it is: ${shortened(message.method)}${version}, from ${message.from} to ${message.to}.${why}`);
  }

  // The step has what it waited for.
  arrive(sentence) {
    this.seen = true;
    this.view.setPaused(true);
    say(this.state, sentence);
    this.state.className = "waiting seen";
    this.offer();
  }

  show(place) {
    this.place = place;
    const step = this.tour.steps[place];
    this.seen = !step.wait_for;
    say(this.count, `Step ${place + 1} of ${this.tour.steps.length}`);
    say(this.sentence, this.filled(step.sentence));
    say(this.state, step.wait_for ? `Waiting for ${this.awaited(step.wait_for)}…` : "");
    this.state.className = "waiting";
    refill(this.code);
    if (step.handler) this.showHandler(step.handler, place);
    const passed = this.seen || !place ? -1 : this.passed.findIndex((message) => this.fits(message, step.wait_for));
    if (passed >= 0) this.meet(this.passed.splice(passed, 1)[0]);
    else this.offer();
    this.changed();
  }

  // The buttons: what the step asks for, the way on, and the way back.
  offer() {
    const { steps } = this.tour;
    const action = steps[this.place].do;
    const last = this.place === steps.length - 1;
    const byHand = action && !(action.post && this.view.info.play && api.hasToken());
    const next = html("button", { class: this.seen ? "first" : null, onclick: () => this.next() }, this.seen ? "Next" : "Skip");
    refill(
      this.buttons,
      action && !byHand && html("button", { class: this.seen ? null : "first", onclick: (event) => this.act(action, event.currentTarget) }, action.label ?? "Do it"),
      !last && next,
      last && this.request && html("a", { href: `#/requests/${encodeURIComponent(this.request)}` }, "Its diagram"),
      last && html("a", { href: "#/tours" }, "Other tours"),
      byHand && action.by_hand && html("p", { class: "hint" }, "In a terminal: ", html("code", {}, this.filled(action.by_hand))),
    );
  }

  next() {
    this.view.setPaused(false);
    this.show(this.place + 1);
  }

  async act({ post, body }, button) {
    button.disabled = true;
    try {
      for (const path of this.paths(post)) await api.play(path, body);
      if (this.seen) say(this.state, "Done.");
      this.view.setPaused(false);
    } catch (error) {
      say(this.state, error.message);
    } finally {
      button.disabled = false;
    }
  }

  async showHandler(path, place) {
    try {
      const { name, file, line, doc, source } = await api.get(path.replace(/^\/?api\//, ""));
      if (place !== this.place) return;
      refill(this.code, html("details", {}, html("summary", {}, html("code", {}, name), html("span", { class: "hint" }, ` ${file}:${line}`)),
        doc && html("p", { class: "doc" }, doc.split("\n\n")[0]), html("pre", { tabindex: "0" }, unindented(source))));
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error; // a handler that is not there is no reason to stop
    }
  }

  // A text with the names of computes in the place of {compute} and its like.
  filled(text) {
    return text.replace(/\{(\w+)\}/g, (braces, name) => this.part(name).join(" and ") || "compute.host-1");
  }

  // The addresses of what is to be done: one for each compute that is meant, by the name that this address has for it.
  paths(post) {
    const [braces, name] = /\{(\w+)\}/.exec(post) ?? [];
    if (!braces) return [post];
    return this.part(name).map((compute) => post.replace(braces, encodeURIComponent(post.startsWith("hosts/") ? hostOf(compute) : compute)));
  }

  part(name) {
    if (!this.parts.get(name)?.length) this.parts.set(name, PARTS[name](this.view.world).map((compute) => compute.name));
    return this.parts.get(name);
  }

  awaited({ state, method, kind }) {
    return state ? `${this.filled(state.service)} to be ${state.is}` : (method ?? kind);
  }

  // Whether a message is what a step waits for; of one request, once the tour follows it.
  fits(message, wanted) {
    if (wanted.state) return false;
    if (this.request && message.request_id !== this.request && !wanted.any_request) return false;
    return Object.entries(wanted).every(([field, value]) => field === "any_request" || matches(message[field], field === "from" ? this.filled(value) : value));
  }
}

// Whether a field is as wanted; a text that ends in "*" wants a beginning.
function matches(value, wanted) {
  if (typeof wanted === "string" && wanted.endsWith("*")) return String(value ?? "").startsWith(wanted.slice(0, -1));
  return value === wanted;
}
