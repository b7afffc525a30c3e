"use strict";
// Clicking the head of a column sorts by it, clicking it again the other way round. Numbers are
// sorted as numbers and NULL always comes last. Rows that compare equal stay as they were.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];

  const key = (row, column, isNumber) => {
    const cell = row.cells[column];
    if (cell.hasAttribute("data-null")) return null;
    const text = cell.dataset.key ?? cell.textContent;
    if (!isNumber) return text;
    const value = Number(text);
    return Number.isNaN(value) ? null : value;
  };

  const compare = (a, b) =>
    typeof a === "number" ? (a < b ? -1 : a > b ? 1 : 0) : a.localeCompare(b, "en", { numeric: true });

  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      const isNumber = head.classList.contains("number");
      const keyed = [...body.rows].map((row) => [key(row, column, isNumber), row]);
      keyed.sort(([a], [b]) =>
        a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b));
      body.append(...keyed.map(([, row]) => row));
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
    });
  });
}
// What was folded away is printed too.
window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details")) details.open = true;
});
