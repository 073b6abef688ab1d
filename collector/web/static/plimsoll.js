// Live parts: the page is fetched again every few seconds and each element
// with an id inside <main> is replaced where it changed. Without this script
// everything works; one presses reload.
"use strict";
(() => {
  const seconds = Number(document.body.dataset.live || 0);
  let failures = 0;

  const busy = (element) =>
    element.contains(document.activeElement) && document.activeElement !== document.body ||
    element.contains(getSelection().anchorNode) && !getSelection().isCollapsed;

  function swap(fresh) {
    for (const next of fresh.querySelectorAll("main > [id], #foot, #banners")) {
      const old = document.getElementById(next.id);
      if (!old) { location.reload(); return; }
      if (busy(old)) continue;
      for (const open of old.querySelectorAll("details[open][id]")) {
        const twin = next.querySelector("#" + CSS.escape(open.id));
        if (twin) twin.open = true;
      }
      if (old.outerHTML !== next.outerHTML) old.replaceWith(document.adoptNode(next));
    }
  }

  async function refresh() {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { "Accept": "text/html", "Plimsoll-Live": "1" }, cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      if (answer.redirected) { location.reload(); return; } // the session ended: show the login
      swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
      failures = 0;
    } catch {
      failures++;
    }
    const banner = document.getElementById("lost");
    if (banner) banner.hidden = failures < 2;
  }

  if (seconds > 0) {
    setInterval(refresh, seconds * 1000);
    document.addEventListener("visibilitychange", refresh);
  }

  // A line to copy: press it.
  document.addEventListener("click", (event) => {
    const line = event.target.closest("code.copy");
    if (!line || !navigator.clipboard || !getSelection().isCollapsed) return;
    navigator.clipboard.writeText(line.textContent).then(() => {
      line.classList.add("copied");
      setTimeout(() => line.classList.remove("copied"), 1200);
    });
  });
})();
