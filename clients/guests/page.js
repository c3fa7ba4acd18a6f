"use strict";

const inputs = [...document.querySelectorAll("#inputs details")];
const [find, guest, order, shown] = ["find", "guest", "order", "shown"].map((id) => document.getElementById(id));
const texts = new Map(inputs.map((one) => [one, one.textContent.toLowerCase()]));

function filter() {
  const words = find.value.toLowerCase().split(/\s+/);
  let count = 0;
  for (const one of inputs) {
    const asked = guest.value === "" || one.querySelector(`[data-guest="${CSS.escape(guest.value)}"]`) !== null;
    const otherwise = guest.value === "" ? one.dataset.readings > 1 || find.value !== "" : !one.dataset.most.split(" ").includes(guest.value);
    one.hidden = !(asked && otherwise && words.every((word) => texts.get(one).includes(word)));
    count += !one.hidden;
    for (const chip of one.querySelectorAll(".chip")) chip.classList.toggle("chosen", chip.dataset.guest === guest.value);
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
for (const control of [find, guest, order]) control.addEventListener("input", () => (arrange(), filter()));
document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
filter();
