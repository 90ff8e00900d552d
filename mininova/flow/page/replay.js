// A recorded request, once more on the map: for a recording without a cloud, and for what went by too fast.

import * as api from "./api.js";
import { html } from "./dom.js";
import { shortened, stateNamed } from "./look.js";

// Feed the messages of a request into a live view, with what they say of the instance's state.
export async function replay(id, view) {
  const { request, messages } = await api.get(`requests/${encodeURIComponent(id)}`);
  for (const instance of [...view.world.instances.keys()]) {
    if (instance in request.servers) view.world.instances.delete(instance);
  }
  const instances = new Map();
  view.announce(`again: ${shortened(request.what)}`, "");
  for (const message of messages) {
    view.playback.add({ message: { ...message, request_id: request.request_id } });
    const instance = after(message, request, instances);
    if (instance) view.playback.add({ world: { instances: [{ ...instance }] } });
  }
  view.aside.prepend(html("section", { class: "again" },
    html("h2", {}, "Seen again"),
    html("p", {}, `${shortened(request.what)}, with ${messages.length} messages. `,
      html("a", { href: `#/requests/${encodeURIComponent(id)}` }, "Its diagram"), " · ",
      html("button", { class: "quiet", onclick: () => { view.playback.clear(); dispatchEvent(new HashChangeEvent("hashchange")); } }, "Once more"), " · ",
      html("a", { href: "#/" }, "Back to the map"))));
}

// What a message makes of the instance that it is about; undefined if nothing.
function after(message, request, instances) {
  const [uuid, name] = Object.entries(request.servers).find(([key, value]) => message.server === key || message.server === value) ?? [];
  if (!uuid) return undefined;
  const known = instances.get(uuid) ?? { uuid, name: name || message.server, host: null, vm_state: "building", task_state: null };
  const placed = /^(build|rebuild|finish)\w*instance/.test(message.method) && message.to.startsWith("compute.");
  if (!message.after && !placed) return undefined;
  if (placed) known.host = message.to.slice("compute.".length);
  if (message.after) {
    if (stateNamed(message.after) === "busy") known.task_state = message.after;
    else [known.vm_state, known.task_state] = [message.after, null];
  }
  instances.set(uuid, known);
  return known;
}

// What there is to see again, where nothing happens by itself.
export async function chooser(aside) {
  const { requests } = await api.get("requests", { limit: 8 });
  aside.prepend(html("section", { class: "again" },
    html("h2", {}, "A recording"),
    html("p", {}, requests.length ? "Nothing happens by itself here. Choose a request, and watch it once more:" : "No request has been kept in it."),
    html("ul", {}, requests.map((request) => html("li", {},
      html("a", { href: `#/?replay=${encodeURIComponent(request.request_id)}` }, `▶ ${shortened(request.what)}`),
      html("span", { class: "who" }, ` ${Object.values(request.servers).join(", ")}`))))));
}
