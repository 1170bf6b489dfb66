// Small pieces that every part of the page uses.

export const data = JSON.parse(document.getElementById("data").textContent);
export const at = id => document.getElementById(id);

// An element with properties and children; texts are texts, never markup.
export function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children.filter(child => child !== null));
  return made;
}

export function draw(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;
export const count = number => number.toLocaleString("en");
export const short = number => String(Number(Number(number).toPrecision(4)));

export function day(moment) {
  const found = new Date(moment);
  if (Number.isNaN(found.getTime())) return "";
  return found.toLocaleDateString("en", {day: "numeric", month: "long", year: "numeric"});
}
