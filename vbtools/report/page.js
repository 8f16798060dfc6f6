// The slider: a range input moves the edge between two pictures; so does a finger or mouse on the picture itself.
"use strict";
for (const box of document.querySelectorAll(".compare")) {
  const range = box.querySelector("input[type=range]");
  const stage = box.querySelector(".stage");
  const [above, below] = [box.querySelector(".above"), box.querySelector(".below")];
  const [left, right] = [box.querySelector("select.left"), box.querySelector("select.right")];
  const pictures = new Map([...box.querySelectorAll(".alone img")].map((one) => [one.dataset.name, one]));
  const captions = new Map([...box.querySelectorAll(".alone figcaption")].map((one) => [one.dataset.name, one]));
  const told = box.querySelector(".told");

  const move = () => {
    stage.style.setProperty("--at", range.value + "%");
    range.setAttribute("aria-valuetext", `${range.value} % ${pictures.get(left.value).dataset.title}, ` +
      `${100 - range.value} % ${pictures.get(right.value).dataset.title}`);
  };
  const choose = () => {
    for (const [place, chosen] of [[above, left], [below, right]]) {
      const one = pictures.get(chosen.value);
      place.src = one.src;
      place.alt = one.alt;
    }
    told.textContent = [left, right].map((one) => captions.get(one.value).textContent).join(" | ");
    move();
  };
  const follow = (event) => {
    const place = stage.getBoundingClientRect();
    range.value = Math.round(100 * Math.min(1, Math.max(0, (event.clientX - place.left) / place.width)));
    move();
  };
  range.addEventListener("input", move);
  left.addEventListener("change", choose);
  right.addEventListener("change", choose);
  stage.addEventListener("pointerdown", (event) => {
    stage.setPointerCapture(event.pointerId);
    event.preventDefault();
    follow(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (event.buttons) follow(event);
  });
  choose();
}
// On paper nothing can be opened: open everything before it is printed, and close again what was closed.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const one of opened) one.open = true;
});
addEventListener("afterprint", () => {
  for (const one of opened) one.open = false;
});
