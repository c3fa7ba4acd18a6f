"use strict";

const inputs = [...document.querySelectorAll("#inputs details")];
const [find, front, guest, order, shown] = ["find", "front", "guest", "order", "shown"].map((id) => document.getElementById(id));
const texts = new Map(inputs.map((one) => [one, one.textContent.toLowerCase()]));

// The reading of a guest: the item of the list that has its chip.
function readingOf(one, name) {
  return one.querySelector(`[data-guest="${CSS.escape(name)}"]`)?.closest("li");
}

// Whether what the front lets pass is read otherwise by the guest behind it, or by anyone.
function passesOtherwise(one) {
  const passed = readingOf(one, front.value);
  if (!passed?.classList.contains("read")) return false;
  const others = guest.value === "" ? [...one.querySelectorAll("li.read")] : [readingOf(one, guest.value)];
  return others.some((other) => other?.classList.contains("read") && other !== passed);
}

function differs(one) {
  if (front.value !== "") return passesOtherwise(one);
  if (guest.value === "") return one.dataset.readings > 1 || find.value !== "";
  return readingOf(one, guest.value) !== undefined && !one.dataset.most.split(" ").includes(guest.value);
}

function filter() {
  const words = find.value.toLowerCase().split(/\s+/);
  let count = 0;
  for (const one of inputs) {
    one.hidden = !(differs(one) && words.every((word) => texts.get(one).includes(word)));
    count += !one.hidden;
    for (const chip of one.querySelectorAll(".chip")) chip.classList.toggle("chosen", [guest.value, front.value].includes(chip.dataset.guest));
  }
  shown.textContent = `${count} of ${inputs.length} inputs`;
}

function arrange() {
  const sorted = order.value === "rule" ? inputs : [...inputs].sort((one, other) => other.dataset.readings - one.dataset.readings);
  document.getElementById("inputs").append(...sorted);
}

function sortBy(heading) {
  const body = document.querySelector("#guests tbody");
  const at = heading.cellIndex;
  const descending = heading.getAttribute("aria-sort") !== "descending" && heading.classList.contains("number");
  const up = !descending && heading.getAttribute("aria-sort") !== "ascending";
  const sign = descending ? -1 : up ? 1 : -1;
  for (const other of heading.parentNode.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
  const text = (row) => row.cells[at].textContent;
  body.append(...[...body.rows].sort((one, other) => sign * text(one).localeCompare(text(other), "en", { numeric: true })));
}

for (const heading of document.querySelectorAll("#guests thead th")) heading.addEventListener("click", () => sortBy(heading));
for (const control of [find, front, guest, order]) control.addEventListener("input", () => (arrange(), filter()));
document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
filter();
