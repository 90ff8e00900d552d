// The page: chooses a view by the hash of its address, so that every view is a link.
//
//   #/                             the live map            live.js
//   #/?only=compute.host-1         the same, filtered
//   #/requests?search=web          the requests            requests.js
//   #/requests/ID                  one as a diagram        request.js
//   #/requests/ID/beside/OTHER     two of them
//   #/servers/UUID                 an instance's life      life.js
//   #/tours, #/tours/ID            guided tours            tours.js, on the live map

import * as api from "./api.js";
import { html, refill, say } from "./dom.js";
import { life } from "./life.js";
import { live } from "./live.js";
import { request } from "./request.js";
import { requests } from "./requests.js";
import { tours } from "./tours.js";

const main = document.getElementById("content");
let leave = null; // ends the view that is shown
let latest = 0; // counts changes of the address, so that a slow answer does not overtake a quick one

// What a hash says: its path in parts, and its query.
export function address(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decoded);
  return { parts, query: new URLSearchParams(query ?? "") };
}

// The view of an address, and the title of it.
function chosen({ parts, query }) {
  const [noun, id, more, other] = parts;
  if (noun === "requests" && id) return [request, { ids: more === "beside" ? [id, other] : [id], query }, "A request"];
  if (noun === "requests") return [requests, { query }, "Requests"];
  if (noun === "servers" && id) return [life, { uuid: id }, "A server's life"];
  if (noun === "tours" && !id) return [tours, {}, "Tours"];
  return [live, { query, tour: noun === "tours" ? id : null }, noun === "tours" ? "A tour" : "Live"];
}

async function show() {
  const mine = ++latest;
  const where = address(location.hash);
  const [view, options, title] = chosen(where);
  leave?.();
  leave = null;
  document.title = `${title} · mininova`;
  markNavigation(where.parts[0] ?? "");
  main.dataset.view = view.name;
  try {
    const info = await api.get("");
    if (mine !== latest) return;
    announce(info);
    const left = await view(main, { ...options, info, announce: (text, tone) => connection(text, tone) });
    if (mine === latest) leave = left ?? null;
    else left?.();
  } catch (error) {
    if (mine === latest) complain(error);
  }
}

function announce(info) {
  connection(info.live ? "live" : "a recording", info.live ? "good" : "");
}

function connection(text, tone) {
  const shown = document.getElementById("connection");
  say(shown, text);
  shown.className = tone;
}

function complain(error) {
  const away = error instanceof TypeError;
  const text = away ? "mininova-flow does not answer. Is it still running?" : error.message;
  refill(
    main,
    html("section", { class: "notice", role: "alert" },
      html("h1", {}, away ? "No answer" : "That did not work"),
      html("p", {}, text),
      html("p", {}, html("a", { href: "#/requests" }, "All requests"), " · ", html("button", { class: "quiet", onclick: show }, "Try again"))),
  );
  if (!(error instanceof api.Refused) && !away) throw error;
}

function markNavigation(noun) {
  for (const link of document.querySelectorAll("nav a")) {
    const own = address(new URL(link.href).hash).parts[0] ?? "";
    const here = own === (noun === "servers" ? "requests" : noun);
    link.toggleAttribute("aria-current", here);
    if (here) link.setAttribute("aria-current", "page");
  }
}

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the hash names a view
  main.focus();
});
addEventListener("hashchange", show);
api.takeToken();
show();
