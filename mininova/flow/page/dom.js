// Elements of HTML and SVG, made by hand.  What a message says reaches the page as text nodes and attributes only, never
// as markup: names of servers are chosen by strangers.

const SVG = "http://www.w3.org/2000/svg";

// An element: `html("button", {class: "quiet", onclick: go}, "Go")`.  An attribute that is null, undefined or false is
// left out; one that begins with "on" is a listener; a child that is null or false is left out.
export function html(tag, attributes, ...children) {
  return furnished(document.createElement(tag), attributes, children);
}

// The same for SVG.
export function svg(tag, attributes, ...children) {
  return furnished(document.createElementNS(SVG, tag), attributes, children);
}

// Change attributes of an element that is there.
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  return element;
}

// Write a text where it differs, so that a screen reader hears of it once.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Put other children where some were.
export function refill(parent, ...children) {
  parent.replaceChildren(...children.flat().filter(Boolean));
  return parent;
}

// Let Enter and the space bar do what a click does, on something that is no button: a shape in a drawing.
export function pressable(element, label, press) {
  return set(element, {
    role: "button",
    tabindex: element.getAttribute("tabindex") ?? 0,
    "aria-label": label,
    onclick: (event) => press(event),
    onkeydown: (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      press(event);
    },
  });
}

// Let the arrow keys walk from one to the next of many things, so that Tab needs one step for all of them.
// `columns()` says how many stand in a row.
export function walkable(parent, selector, columns = () => 1) {
  parent.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns(), ArrowUp: -columns() }[event.key];
    const here = event.target.closest?.(selector);
    if (!step || !here) return;
    const all = [...parent.querySelectorAll(selector)];
    const next = all[all.indexOf(here) + step];
    if (!next) return;
    event.preventDefault();
    here.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });
}

function furnished(element, attributes, children) {
  set(element, attributes ?? {});
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
