"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const body = byId("rows").tBodies[0];
  const lines = Array.from(body.rows);
  const controls = { find: byId("find"), verdict: byId("verdict"), cell: byId("cell"), still: byId("still") };
  const texts = new Map(lines.map((line) => [line, line.textContent.toLowerCase()]));
  const numeric = { rank: 1, slope: -1, level: -1 };
  let order = { key: "rank", direction: 1 };

  function filter() {
    const words = controls.find.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const line of lines) {
      const data = line.dataset;
      line.hidden =
        (controls.verdict.value !== "" && data.verdict !== controls.verdict.value) ||
        (controls.cell.value !== "" && data.cell !== controls.cell.value) ||
        ("still" in data && !controls.still.checked) ||
        !words.every((word) => texts.get(line).includes(word));
      shown += line.hidden ? 0 : 1;
    }
    byId("count").textContent = `${shown} of ${lines.length} shown`;
  }

  function compare(a, b) {
    const [x, y] = [a.dataset[order.key], b.dataset[order.key]];
    if (!(order.key in numeric)) return x < y ? -1 : x > y ? 1 : 0;
    // What has no number goes last, whichever way the rest is sorted.
    if (x === "" || y === "") return ((x === "") - (y === "")) * order.direction;
    return Number(x) - Number(y);
  }

  function sort(key, direction) {
    order = { key, direction };
    lines.sort((a, b) => compare(a, b) * direction || a.dataset.rank - b.dataset.rank);
    body.append(...lines);
    byId("order").value = key;
    for (const button of document.querySelectorAll("th button")) {
      const on = button.dataset.key === key;
      const head = button.parentElement;
      if (on) head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
  }

  for (const control of Object.values(controls)) control.addEventListener("input", filter);
  const first = (key) => numeric[key] || 1;
  byId("order").addEventListener("input", (event) => sort(event.target.value, first(event.target.value)));
  for (const button of document.querySelectorAll("th button")) {
    button.addEventListener("click", () => {
      const key = button.dataset.key;
      sort(key, order.key === key ? -order.direction : first(key));
    });
  }

  const themes = ["system", "light", "dark"];
  const remember = {
    // A page opened from a file or an archive may have no storage.
    get: () => { try { return localStorage.getItem("leakbench-theme"); } catch { return null; } },
    set: (name) => { try { localStorage.setItem("leakbench-theme", name); } catch { /* not kept */ } },
  };
  function dress(name) {
    if (name === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    byId("theme").textContent = `Theme: ${name}`;
  }
  let theme = themes.includes(remember.get()) ? remember.get() : "system";
  byId("theme").addEventListener("click", () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    remember.set(theme);
    dress(theme);
  });

  dress(theme);
  byId("theme").hidden = false;
  byId("controls").hidden = false;
  filter();
})();
