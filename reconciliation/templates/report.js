(function () {
  "use strict";
  var root = document.documentElement;
  var all = function (selector, within) { return Array.prototype.slice.call((within || document).querySelectorAll(selector)); };
  var buttons = all("button[data-lang]");
  var status = document.getElementById("shown");
  var search = document.getElementById("search");
  var choices = all("select[data-by]");
  var cards = all(".cause-of .finding").map(function (card) {
    return { card: card, text: card.textContent.toLowerCase().replace(/\s+/g, " ") };
  });

  function figure(number) {
    return String(number).replace(/\B(?=(\d{3})+$)/g, root.lang === "nl" ? "." : ",");
  }

  function filter() {
    if (!search) { return; }
    var words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = 0;
    cards.forEach(function (each) {
      var fits = choices.every(function (choice) {
        return !choice.value || each.card.getAttribute("data-" + choice.getAttribute("data-by")) === choice.value;
      }) && words.every(function (word) { return each.text.indexOf(word) >= 0; });
      each.card.hidden = !fits;
      shown += fits ? 1 : 0;
    });
    all(".cause-of").forEach(function (cause) { cause.hidden = !cause.querySelector(".finding:not([hidden])"); });
    status.textContent = status.getAttribute("data-" + root.lang)
      .replace("{n}", figure(shown)).replace("{total}", figure(cards.length));
  }

  function speak(lang) {
    root.lang = lang;
    document.title = root.getAttribute("data-title-" + lang);
    buttons.forEach(function (button) {
      button.setAttribute("aria-pressed", String(button.getAttribute("data-lang") === lang));
    });
    all("option[data-nl]").forEach(function (option) { option.textContent = option.getAttribute("data-" + lang); });
    filter();
  }

  buttons.forEach(function (button) {
    button.addEventListener("click", function () { speak(button.getAttribute("data-lang")); });
  });
  if (search) {
    search.addEventListener("input", filter);
    choices.forEach(function (choice) { choice.addEventListener("change", filter); });
    document.getElementById("clear").addEventListener("click", function () {
      search.value = "";
      choices.forEach(function (choice) { choice.value = ""; });
      filter();
      search.focus();
    });
  }
  var find = document.getElementById("find-mapping");
  if (find) find.addEventListener("input", function () {
    var wanted = find.value.toLowerCase().trim();
    all("details.mapping").forEach(function (each) {
      each.hidden = each.querySelector("summary").textContent.toLowerCase().indexOf(wanted) < 0;
    });
  });
  var toggle = document.getElementById("toggle-all");
  toggle.addEventListener("click", function () {
    var open = toggle.getAttribute("aria-expanded") !== "true";
    all("details").forEach(function (details) { details.open = open; });
    toggle.setAttribute("aria-expanded", String(open));
  });
  all(".tools").forEach(function (tools) { tools.hidden = false; });
  speak(root.lang);
}());
