// Where everything on the map stands: a pure function of the world and the width.
//
//   client   api   conductor   scheduler   listeners      what controls
//   ───────────── broker: the queues ───────────────      what carries
//   host-1      host-2      host-3                        what runs instances
//
// Three hosts are cards with room for words, sixty are tiles, a thousand are a grid of cells.

const MARGIN = 16;
const GAP = 14;
const BOX = { width: 176, height: 64 };
const BAND = 100; // the broker, with a row of queues for those above and one for those below
const PILL = 24;
const STRIP = 34; // instances that are on no host

// detail → the least width of a host, its height before its instances, the size of an instance and what surrounds it
const DETAILS = {
  card: { least: 150, head: 62, block: 15, gap: 5, pad: 12, rows: 4 },
  tile: { least: 104, head: 22, block: 9, gap: 3, pad: 8, rows: 2 },
  cell: { least: 24, head: 0, block: 4, gap: 1.5, pad: 3, rows: 2 },
};

// What stands where: {height, boxes, pills, band, strip, detail, columns}; boxes and pills are by name, and each is
// {x, y, width, height}.  A box has `above` if it is above the broker.
export function place(world, width) {
  const boxes = new Map();
  const above = ["client", ...world.controllers().map((service) => service.name), "notifications"];
  const narrow = width < 640; // those who listen to notifications are left out, and the queue stands for them
  const top = placeAbove(boxes, narrow ? above.slice(0, -1) : above, width);
  const band = { x: MARGIN, y: top + 34, width: width - 2 * MARGIN, height: BAND };
  const strip = { x: MARGIN, y: band.y + band.height + 8, height: STRIP };
  const computes = world.computes().map((service) => service.name);
  const hosts = placeHosts(boxes, computes, world, width, strip.y + STRIP + 8);
  const pills = placePills(boxes, world, band, hosts.rows === 1 && hosts.detail === "card" ? computes : []);
  return { boxes, band, strip, pills, width, ...hosts };
}

function placeAbove(boxes, names, width) {
  const perRow = Math.min(names.length, Math.max(2, Math.floor((width - 2 * MARGIN + GAP) / (124 + GAP))));
  const rows = Math.ceil(names.length / perRow);
  const room = (width - 2 * MARGIN - (perRow - 1) * GAP) / perRow;
  const wide = Math.min(BOX.width, room);
  names.forEach((name, place) => {
    const column = place % perRow;
    const step = perRow > 1 ? (width - 2 * MARGIN - wide) / (perRow - 1) : 0;
    const y = 8 + Math.floor(place / perRow) * (BOX.height + GAP);
    boxes.set(name, { x: MARGIN + column * step, y, width: wide, height: BOX.height, above: true });
  });
  return 8 + rows * (BOX.height + GAP) - GAP;
}

function placeHosts(boxes, names, world, width, top) {
  const room = width - 2 * MARGIN;
  const detail = names.length <= Math.max(4, Math.floor(room / 110)) ? "card" : names.length <= 72 ? "tile" : "cell";
  const { least, head, block, gap, pad, rows: most } = DETAILS[detail];
  const between = detail === "cell" ? 3 : GAP;
  const fit = Math.max(1, Math.floor((room + between) / (least + between)));
  const columns = Math.max(1, Math.min(names.length, fit, detail === "cell" ? 40 : fit));
  const wide = Math.min(340, (room - (columns - 1) * between) / columns);
  const perRow = Math.max(1, Math.floor((wide - 2 * pad + gap) / (block + gap)));
  const fullest = Math.max(0, ...[...world.instancesByHost()].filter(([host]) => host).map(([, all]) => all.length));
  const blockRows = detail === "cell" ? most : Math.min(most, Math.max(detail === "card" ? 2 : 1, Math.ceil(fullest / perRow)));
  const high = head + 2 * pad + blockRows * (block + gap) - gap - (head ? pad / 2 : 0);
  const indent = (room - columns * wide - (columns - 1) * between) / 2;
  names.forEach((name, place) => {
    const x = MARGIN + indent + (place % columns) * (wide + between);
    const y = top + Math.floor(place / columns) * (high + between);
    boxes.set(name, { x, y, width: wide, height: high, above: false });
  });
  const rows = Math.ceil(names.length / columns);
  const blocks = { size: block, gap, pad, head, perRow, most: perRow * blockRows };
  return { detail, columns, rows, blocks, height: top + Math.max(1, rows) * (high + between) + 4 };
}

// The queues of services above the broker, each under its services; and one for each host, or one for all of them.
function placePills(boxes, world, band, computes) {
  const pills = new Map();
  const upper = band.y + 14;
  const lower = band.y + band.height - PILL - 14;
  const names = ["conductor", "scheduler", "notifications"];
  const crowded = band.width < 560;
  names.forEach((name, place) => {
    const under = [...boxes].filter(([box]) => box === name || box.startsWith(`${name}.`)).map(([, box]) => box);
    const wide = crowded ? (band.width - 4 * 8) / 3 : 132;
    const centre = crowded || !under.length
      ? band.x + 8 + place * (wide + 8) + wide / 2
      : under.reduce((sum, box) => sum + box.x + box.width / 2, 0) / under.length;
    const x = Math.min(Math.max(centre - wide / 2, band.x + 8), band.x + band.width - wide - 8);
    pills.set(name, { x, y: upper, width: wide, height: PILL });
  });
  for (const name of computes) {
    const box = boxes.get(name);
    const wide = Math.min(box.width - 8, 150);
    pills.set(name, { x: box.x + box.width / 2 - wide / 2, y: lower, width: wide, height: PILL });
  }
  if (!computes.length) {
    const wide = Math.min(260, band.width - 84);
    const x = crowded ? band.x + band.width - wide - 8 : band.x + band.width / 2 - wide / 2;
    pills.set("compute", { x, y: lower, width: wide, height: PILL });
  }
  return pills;
}

// The way of a message from box to box, as an SVG path made of two curves that meet in the queue of its receiver;
// {curves}.  What comes from outside goes straight, for it passes no broker.
export function way(layout, from, to, queue) {
  const [start, end] = [layout.boxes.get(from), layout.boxes.get(to)];
  if (!start) return null;
  if (!end) return layout.pills.has(queue) ? { curves: [bent(port(start, 0.36), into(layout.pills.get(queue)))] } : null;
  if (from === "client") {
    const [one, other] = [middle(start), middle(end)];
    const level = start.y === end.y;
    const a = { x: level ? start.x + start.width : one.x, y: level ? one.y : start.y + start.height };
    const b = { x: level ? end.x : other.x, y: level ? other.y : end.y };
    return straight(a, b);
  }
  const a = port(start, 0.36);
  const b = port(end, 0.64);
  const pill = layout.pills.get(queue) ?? (end.above ? undefined : layout.pills.get("compute"));
  const q = pill ? into(pill) : { x: b.x, y: layout.band.y + layout.band.height / 2 };
  return { curves: [bent(a, q), bent(q, b)] };
}

// A place on a way; `share` grows from 0 to 1.
export function along(route, share) {
  const { curves } = route;
  if (curves.length === 1) return onCurve(curves[0], share);
  const rest = 0.46; // until it is in the queue, where it stays for a moment
  if (share < rest) return onCurve(curves[0], eased(share / rest));
  return onCurve(curves[1], eased(Math.max(0, (share - rest - 0.08) / (1 - rest - 0.08))));
}

// The way as SVG writes it.
export function drawn(route) {
  const point = ({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  return route.curves.map(([a, b, c, d]) => `M${point(a)}C${point(b)} ${point(c)} ${point(d)}`).join("");
}

function straight(a, b) {
  return { curves: [[a, a, b, b]] };
}

function bent(a, b) {
  const half = (a.y + b.y) / 2;
  return [a, { x: a.x, y: half }, { x: b.x, y: half }, b];
}

// Where a message waits in its queue: beside the name.
function into(pill) {
  return { x: pill.x + pill.width * 0.74, y: pill.y + pill.height / 2 };
}

function middle(box) {
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

function port(box, share) {
  return { x: box.x + box.width * share, y: box.above ? box.y + box.height : box.y };
}

function onCurve([a, b, c, d], t) {
  const u = 1 - t;
  const at = (p, q, r, s) => u * u * u * p + 3 * u * u * t * q + 3 * u * t * t * r + t * t * t * s;
  return { x: at(a.x, b.x, c.x, d.x), y: at(a.y, b.y, c.y, d.y) };
}

function eased(t) {
  return t < 0.5 ? 2 * t * t : 1 - 2 * (1 - t) * (1 - t);
}
