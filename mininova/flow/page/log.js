// The last messages in words, beside the map: what an eye missed, and what a screen reader can read.

import { html, refill, say } from "./dom.js";
import { icon, kindOf, shortened } from "./look.js";

const KEPT = 400; // messages that a filter can still find
const SHOWN = 40;

export class Log {
  // `pick(message)` is called when a line is chosen.
  constructor(pick) {
    this.pick = pick;
    this.messages = [];
    this.matches = () => true;
    this.dirty = true;
    this.list = html("ol", { class: "log", tabindex: "0", "aria-label": "The last messages, the newest first" });
    this.title = html("h2", {}, "Messages");
    this.empty = html("p", { class: "empty" });
    this.element = html("section", { class: "messages" }, this.title, this.empty, this.list);
    this.lines = new WeakMap(); // message → its line, so that what is there is not made again
  }

  add(message) {
    this.messages.unshift(message);
    if (this.messages.length > KEPT) this.messages.length = KEPT;
    this.dirty = true;
  }

  // Show only what a function says yes to.
  filter(matches, label) {
    [this.matches, this.label, this.dirty] = [matches, label, true];
  }

  // Write the lines, if there is anything new.
  draw() {
    if (!this.dirty) return;
    this.dirty = false;
    const shown = this.messages.filter(this.matches).slice(0, SHOWN);
    refill(this.list, shown.map((message) => this.line(message)));
    this.list.hidden = !shown.length;
    const nothing = this.label ? `Nothing of ${this.label} yet.` : "All is quiet. Create a server, and watch what follows:";
    this.empty.hidden = shown.length > 0;
    if (this.empty.hidden) return;
    refill(this.empty, nothing, !this.label && html("code", {}, "openstack server create --flavor m1.tiny --image cirros --wait vm"));
  }

  line(message) {
    const known = this.lines.get(message);
    if (known) return known;
    const kind = kindOf(message);
    const outcome = message.error || message.change;
    const line = html("li", {},
      html("button", { class: `line ${kind}${message.wrong ? " bad" : ""}`, onclick: () => this.pick(message), title: "Show only its request" },
        icon(kind),
        html("span", { class: "what" }, html("b", {}, shortened(message.method)), html("span", { class: "who" }, `${shortened(message.from)} → ${shortened(message.to)}`)),
        outcome && html("span", { class: "outcome" }, shortened(outcome))));
    this.lines.set(message, line);
    return line;
  }
}
