(function () {
  "use strict";
  var root = document.documentElement;
  var buttons = document.querySelectorAll("button[data-lang]");
  function speak(lang) {
    root.lang = lang;
    document.title = root.getAttribute("data-title-" + lang);
    buttons.forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.getAttribute("data-lang") === lang));
    });
  }
  buttons.forEach(function (button) {
    button.addEventListener("click", function () { speak(button.getAttribute("data-lang")); });
  });
  var toggle = document.getElementById("toggle-all");
  toggle.addEventListener("click", function () {
    var open = toggle.getAttribute("aria-expanded") !== "true";
    document.querySelectorAll("details").forEach(function (details) { details.open = open; });
    toggle.setAttribute("aria-expanded", String(open));
  });
  document.querySelectorAll(".tools").forEach(function (tools) { tools.hidden = false; });
  speak(root.lang);
}());
