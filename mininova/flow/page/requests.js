// The list of requests, the newest first, with a search.

import * as api from "./api.js";
import { html, refill, say } from "./dom.js";
import { lasting, moment, shortened } from "./look.js";

const LIMIT = 100;
const PATIENCE = 180; // milliseconds after the last letter

// Show the list; `beside` in the query is the request that another one is to be chosen for.
export async function requests(main, { query }) {
  const beside = query.get("beside");
  const search = html("input", { type: "search", name: "search", "aria-label": "Search requests", placeholder: "server name, uuid, request id, or words such as DELETE", value: query.get("search") ?? "", autocomplete: "off", spellcheck: "false" });
  const all = html("input", { type: "checkbox", checked: query.get("all") === "1" });
  const count = html("p", { class: "hint", role: "status" });
  const table = html("div", {});
  let asked = 0;

  async function refresh() {
    const mine = ++asked;
    const wanted = { search: search.value.trim(), all: all.checked ? "1" : "" };
    const { requests: found } = await api.get("requests", { ...wanted, limit: LIMIT });
    if (mine !== asked) return; // a later search was quicker
    const more = new URLSearchParams(Object.entries({ ...wanted, beside: beside ?? "" }).filter(([, value]) => value));
    if (main.dataset.view === "requests") history.replaceState(null, "", `#/requests${more.size ? `?${more}` : ""}`);
    say(count, counted(found.length, wanted.search));
    refill(table, found.length ? list(found, beside) : nothing(wanted.search));
  }

  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, PATIENCE);
  };
  const form = html("form", { class: "search", role: "search", onsubmit: (event) => { event.preventDefault(); refresh(); } },
    search, html("button", {}, "Search"), html("label", { class: "all" }, all, "also what no user asked for, such as heartbeats and sweeps"));
  search.addEventListener("input", later);
  all.addEventListener("change", refresh);
  refill(
    main,
    html("h1", {}, beside ? "Which one beside it?" : "Requests"),
    html("p", { class: "hint" }, beside ? "Choose the request to be put beside " : "Each line is a request to the api, with every message that followed from it.", beside && html("code", {}, shortened(beside))),
    form, count, table,
  );
  await refresh();
  return () => {
    clearTimeout(timer);
    asked += 1;
  };
}

function counted(number, searched) {
  if (!number) return "";
  const many = number === LIMIT ? `The newest ${LIMIT}` : number === 1 ? "One request" : `${number} requests`;
  return searched ? `${many} with “${searched}”` : many;
}

function nothing(searched) {
  return html("p", { class: "notice" }, searched ? `No request with “${searched}” has been kept.` : "No request has been kept yet. Create a server, and its request is here.");
}

function list(found, beside) {
  const heading = ["when", "request", "", "server", "messages", "took"].map((name, place) => html("th", { scope: "col", class: place > 3 ? "number" : null }, name || html("span", { class: "unseen" }, "answer")));
  return html("table", { class: "list" }, html("thead", {}, html("tr", {}, heading)), html("tbody", {}, found.map((one) => row(one, beside))));
}

function row(request, beside) {
  const id = encodeURIComponent(request.request_id);
  const bad = request.errors > 0 || request.status >= 400;
  const servers = Object.entries(request.servers);
  const names = servers.slice(0, 3).map(([uuid, name], place) => [place > 0 && ", ", html("a", { class: "plain", href: `#/servers/${encodeURIComponent(uuid)}` }, name || shortened(uuid))]).flat();
  const trouble = request.errors ? `${request.errors} with an error` : "refused";
  return html("tr", { class: bad ? "bad" : null },
    html("td", { class: "when" }, html("time", { datetime: new Date(request.began * 1000).toISOString(), title: new Date(request.began * 1000).toLocaleString() }, moment(request.began))),
    html("td", { class: "what" }, html("a", { href: beside ? `#/requests/${encodeURIComponent(beside)}/beside/${id}` : `#/requests/${id}`, title: request.request_id }, shortened(request.what) || request.request_id), bad && html("span", { class: "trouble" }, `✕ ${trouble}`)),
    html("td", { class: request.status >= 400 ? "code bad" : "code" }, request.status ? String(request.status) : ""),
    html("td", { class: "who" }, names, servers.length > 3 && ` and ${servers.length - 3} more`),
    html("td", { class: "number" }, String(request.message_count)),
    html("td", { class: "number" }, lasting(request.took_ms)));
}
