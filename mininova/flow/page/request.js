// One request, or two beside each other: what it was, its diagram, and the message that is opened.

import * as api from "./api.js";
import { html, refill } from "./dom.js";
import { diagram } from "./diagram.js";
import { lasting, shortened } from "./look.js";
import { opened } from "./opened.js";
import { legend } from "./legend.js";

// Show the requests of some ids; gives a function that ends the view.
export async function request(main, { ids, query }) {
  const found = await Promise.all(ids.map((id) => api.get(`requests/${encodeURIComponent(id)}`)));
  const sheets = found.map((data, place) => new Sheet(data, place, found[1 - place]));
  const two = sheets.length > 1;
  refill(
    main,
    two && html("h1", { class: "pair-title" }, "Two requests beside each other"),
    two && html("p", { class: "hint" }, "A + marks what the other one does not have."),
    html("div", { class: two ? "pair" : "single" }, sheets.map((sheet) => sheet.element)),
    legend("States"),
  );
  const fit = new ResizeObserver(() => sheets.forEach((sheet) => sheet.draw()));
  sheets.forEach((sheet) => fit.observe(sheet.scroll));
  const wanted = Number.parseInt(query.get("message"), 10);
  if (wanted in found[0].messages) await sheets[0].open(wanted, false);
  return () => fit.disconnect();
}

class Sheet {
  constructor(data, place, other) {
    this.data = data;
    this.place = place;
    this.strange = other ? unlike(data.messages, other.messages) : new Set();
    this.heads = html("div", { class: "sticky" });
    this.body = html("div", {});
    this.scroll = html("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `Diagram of ${data.request.request_id}` }, this.heads, this.body);
    this.detail = html("aside", { class: "detail", "aria-label": "The opened message", hidden: true });
    this.element = html("article", { class: "request" },
      this.title(data, Boolean(other)),
      html("div", { class: "opening" }, this.scroll, this.detail));
    this.element.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    this.number = null;
  }

  // Draw it, as wide as there is room.
  draw() {
    const width = this.scroll.clientWidth;
    if (!width || width === this.width) return;
    this.width = width;
    const focused = this.drawing?.rows.indexOf(document.activeElement) ?? -1;
    this.drawing = diagram(this.data, width, { open: (number) => this.open(number), strange: this.strange });
    refill(this.heads, this.drawing.head);
    refill(this.body, this.drawing.body);
    this.drawing.choose(this.number);
    this.drawing.rows[focused]?.focus();
  }

  // Open a message beside the diagram, and name it in the address.
  async open(number, focus = true) {
    if (number === this.number && focus) return this.close();
    this.number = number;
    this.drawing?.choose(number);
    this.detail.hidden = false;
    this.remember();
    await opened(this.detail, this.data.messages[number], () => this.close());
    if (focus) this.detail.querySelector("h2")?.focus();
    return undefined;
  }

  close() {
    if (this.number === null) return;
    const row = this.drawing.rows[this.number];
    this.number = null;
    this.drawing.choose(null);
    this.detail.hidden = true;
    this.remember();
    row.focus();
  }

  remember() {
    if (this.place) return;
    const [path] = location.hash.split("?");
    history.replaceState(null, "", this.number === null ? path : `${path}?message=${this.number}`);
  }

  title({ request }, beside) {
    const id = encodeURIComponent(request.request_id);
    const bad = request.errors > 0 || request.status >= 400;
    const servers = Object.entries(request.servers);
    return html("div", { class: "title" },
      html(beside ? "h2" : "h1", {}, shortened(request.what), request.status && html("span", { class: `status ${request.status >= 400 ? "bad" : ""}` }, String(request.status))),
      html("p", { class: "facts" },
        html("code", {}, request.request_id), ` ${request.message_count} messages in ${lasting(request.took_ms)}`,
        bad && html("span", { class: "bad" }, request.errors ? `, ${request.errors} with an error` : ""),
        servers.length > 0 && " · ",
        servers.slice(0, 6).map(([uuid, name], place) => [place > 0 && ", ", html("a", { href: `#/servers/${encodeURIComponent(uuid)}`, title: "Its life" }, name || shortened(uuid))]).flat(),
        servers.length > 6 && ` and ${servers.length - 6} more`),
      html("p", { class: "ways-on" },
        html("a", { href: `#/?replay=${id}` }, "Watch it on the map"),
        !beside && html("a", { href: `#/requests?beside=${id}` }, "Put another one beside it"),
        html("span", {}, "Save as ", ["svg", "mmd", "json"].map((kind, place) => [place > 0 && " · ", html("a", { href: `api/requests/${id}.${kind}`, download: "" }, { svg: "SVG", mmd: "Mermaid", json: "JSON" }[kind])]).flat())));
  }
}

// The numbers of messages that others have no like of: of the same kind and method, between the same services.
function unlike(messages, others) {
  const key = ({ kind, method, from, to }) => [kind, method.replace(/[0-9a-f-]{36}/, ""), from.split(".")[0], to.split(".")[0]].join();
  const left = new Map();
  for (const other of others) left.set(key(other), (left.get(key(other)) ?? 0) + 1);
  const strange = new Set();
  messages.forEach((message, number) => {
    const count = left.get(key(message)) ?? 0;
    if (count) left.set(key(message), count - 1);
    else strange.add(number);
  });
  return strange;
}
