"use strict";
(() => {
  const form = document.querySelector(".filter");
  const groups = [...document.querySelectorAll("[data-check]")];
  addEventListener("beforeprint", () => {
    for (const one of document.querySelectorAll("details")) one.open = true;
  });
  if (!form || !groups.length) return;
  const text = form.querySelector("input[type=search]");
  const boxes = [...form.querySelectorAll("input[type=checkbox]")];
  const count = form.querySelector("output");
  const rows = groups.map((group) => [...group.querySelectorAll("tbody tr")].map((row) => ({
    row, weight: row.dataset.weight, text: (group.dataset.check + " " + row.textContent).toLowerCase(),
  })));
  const wasOpen = groups.map((group) => group.open);
  let timer;
  const apply = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const weights = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    let all = 0;
    groups.forEach((group, index) => {
      let shown = 0;
      for (const one of rows[index]) {
        const fits = weights.has(one.weight) && words.every((word) => one.text.includes(word));
        one.row.hidden = !fits;
        shown += fits;
      }
      group.hidden = !shown;
      group.open = words.length ? shown > 0 : wasOpen[index];
      all += shown;
    });
    count.textContent = all + (all === 1 ? " finding" : " findings");
  };
  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(apply, 120); });
  apply();
})();
