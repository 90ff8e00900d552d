// What the page can do to the cloud: create servers, act on the one that is chosen, and break things.
// It is shown only if the stack allows it; each button is a POST to /api/play, which a script can do as well.

import * as api from "./api.js";
import { html, refill, say } from "./dom.js";
import { hostOf, kindOfService } from "./world.js";

// What can be done to an instance, by its vm_state; the rest is refused by the api, in its own words.
const ACTIONS = {
  active: ["stop", "reboot", "pause", "suspend", "resize", "shelve", "delete"],
  stopped: ["start", "reboot", "resize", "delete"],
  paused: ["unpause", "delete"],
  suspended: ["resume", "delete"],
  shelved: ["unshelve", "delete"],
  shelved_offloaded: ["unshelve", "delete"],
  resized: ["confirmResize", "revertResize", "delete"],
};
const WORDS = { confirmResize: "confirm the resize", revertResize: "revert the resize" };

const SERVICE_ACTIONS = [
  ["kill", "Its process ends at once, as by kill -9."],
  ["pause", "Its process stands still, and the others take it for dead after a while."],
  ["resume", "A process that was paused goes on."],
  ["restart", "It ends what it has begun, and starts anew."],
];

const HOST_BEHAVIOURS = [
  ["slow", { operation: "*", delay: 5_000 }, "What the hypervisor does takes five seconds longer."],
  ["failing", { operation: "spawn", failure: { message: "the disk is full" } }, "No instance can be spawned there."],
  ["well", null, "It behaves again as it was configured."],
];

const LOSABLE = ["build_instances", "select_destinations", "build_instance", "update_instance"]; // until others were seen
const SENDERS = ["api", "conductor", "scheduler", "compute"];

// Put the panel before what is there.  Gives {refresh, choose}: the world changed, and something was chosen on the map.
export function playPanel(aside, view) {
  const panel = new Play(view);
  aside.prepend(panel.element);
  panel.choose(null);
  return panel;
}

class Play {
  constructor(view) {
    this.view = view;
    this.answer = html("p", { class: "answer", role: "status" });
    this.chosen = html("div", { class: "chosen-part" });
    this.name = html("input", { name: "name", value: "vm-1", maxlength: "255", "aria-label": "Name of the new server", autocomplete: "off" });
    this.flavor = html("select", { "aria-label": "Flavor" }, ["m1.tiny", "m1.small", "m1.medium", "m1.large"].map((name) => html("option", {}, name)));
    this.count = html("input", { type: "number", min: "1", max: "50", value: "1", "aria-label": "How many servers" });
    const boot = html("form", { class: "boot", onsubmit: (event) => this.boot(event) }, this.name, this.flavor, this.count, html("button", { class: "first" }, "Boot"));
    const cloud = html("div", { class: "buttons" },
      this.button("Cut the broker", "broker/action", { action: "cut" }, "Every connection to the broker breaks, and none can be made."),
      this.button("Mend it", "broker/action", { action: "mend" }, "Services connect again, and go on."));
    this.element = html("section", { class: "play" }, html("h2", {}, "Play"), api.hasToken() ? [boot, this.chosen, cloud, this.losses()] : html("p", { class: "hint" }, "Open the address that the stack printed: it has the token that this needs."), this.answer);
  }

  // The chosen thing may have changed.
  refresh() {
    const instance = this.what?.kind === "instance" && this.view.world.instances.get(this.what.name);
    const state = instance ? `${instance.vm_state}${instance.task_state}` : "";
    if (state !== this.state) this.choose(this.what);
  }

  // Offer what can be done to what was chosen on the map.
  choose(what) {
    this.what = what;
    this.state = "";
    if (what?.kind === "instance") this.offerInstance(what.name);
    else if (what?.kind === "service" && what.name !== "client") this.offerService(what.name);
    else refill(this.chosen, html("p", { class: "hint" }, "Choose an instance, a service or a host on the map to do something to it."));
  }

  offerInstance(uuid) {
    const instance = this.view.world.instances.get(uuid);
    if (!instance) return refill(this.chosen, html("p", { class: "hint" }, "That server is gone."));
    this.state = `${instance.vm_state}${instance.task_state}`;
    const actions = ACTIONS[instance.vm_state] ?? ["delete"];
    const buttons = actions.map((action) => this.button(WORDS[action] ?? action, `servers/${encodeURIComponent(uuid)}/action`, { action }));
    return refill(this.chosen, html("h3", {}, instance.name || uuid), html("div", { class: "buttons" }, buttons));
  }

  offerService(name) {
    const path = `services/${encodeURIComponent(name)}/action`;
    const buttons = SERVICE_ACTIONS.map(([action, about]) => this.button(action, path, { action }, about));
    const host = kindOfService(name) === "compute" ? hostOf(name) : "";
    const behave = host && HOST_BEHAVIOURS.map(([title, rule, about]) => this.button(title, `hosts/${encodeURIComponent(host)}/behaviour`, { rule }, about));
    refill(this.chosen, html("h3", {}, name), html("div", { class: "buttons" }, buttons), host && html("div", { class: "buttons" }, html("span", { class: "hint" }, "make it"), behave));
  }

  // The form by which one message is lost: which, of those that ask for the same.
  losses() {
    this.nth = html("input", { type: "number", min: "1", max: "999", value: "1", "aria-label": "Which one is lost" });
    this.method = html("input", { value: "build_instance", maxlength: "255", list: "losable", "aria-label": "What the lost message asks for", autocomplete: "off" });
    const seen = html("datalist", { id: "losable" });
    this.method.addEventListener("focus", () => {
      const asking = this.view.log.messages.filter(asks).map(({ method }) => method);
      refill(seen, [...new Set([...LOSABLE, ...asking])].map((value) => html("option", { value })));
    });
    this.sender = html("select", { "aria-label": "Who sends the lost message" }, html("option", { value: "*" }, "any sender"), SENDERS.map((name) => html("option", {}, name)));
    const lose = html("button", { title: "As if the broker had lost it: its sender does not notice." }, "Lose it");
    return html("form", { class: "lose buttons", onsubmit: (event) => this.lose(event) },
      html("span", { class: "hint" }, "Of the next, lose number"), this.nth, this.method, html("span", { class: "hint" }, "from"), this.sender, lose,
      this.button("Lose nothing", "losses", { rule: null }, "No message is lost on purpose any more."));
  }

  // Have the form be for messages like one that was chosen.
  offerLoss(message) {
    if (!asks(message) || !this.method) return;
    [this.method.value, this.sender.value] = [message.method, kindOfService(message.from)];
  }

  lose(event) {
    event.preventDefault();
    const rule = { method: this.method.value.trim(), sender: this.sender.value, nth: Number(this.nth.value) || 1 };
    this.post("losses", { rule }, event.submitter);
  }

  button(title, path, body, about = "") {
    return html("button", { type: "button", title: about || null, onclick: (event) => this.post(path, body, event.currentTarget) }, title);
  }

  async boot(event) {
    event.preventDefault();
    const body = { name: this.name.value.trim() || "vm", flavor: this.flavor.value, image: "cirros", count: Number(this.count.value) || 1 };
    const done = await this.post("servers", body, event.submitter);
    const [, stem, number] = /^(.*?)(\d+)$/.exec(body.name) ?? [];
    if (done && number && this.name.value === body.name) this.name.value = `${stem}${Number(number) + 1}`;
  }

  async post(path, body, button) {
    if (button) button.disabled = true;
    try {
      await api.play(path, body);
      say(this.answer, "Done: watch what follows.");
      this.answer.className = "answer";
      return true;
    } catch (error) {
      say(this.answer, error instanceof TypeError ? "mininova-flow does not answer." : error.message);
      this.answer.className = "answer bad";
      return false;
    } finally {
      if (button) button.disabled = false;
    }
  }
}

// Whether a message asks for something, and so can be lost.
export function asks({ kind }) {
  return kind === "call" || kind === "cast" || kind === "fanout";
}
