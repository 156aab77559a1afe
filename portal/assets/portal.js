// Fetches the page again while it is looked at, and replaces the parts marked data-live.
// Rows that are being read stay where they are, and nothing is replaced while text is selected.
"use strict";

const EVERY = 2000;
let tag = null;

function firstVisibleRow() {
  for (const row of document.querySelectorAll("tr[data-key]")) {
    const top = row.getBoundingClientRect().top;
    if (top >= 0) return { key: row.dataset.key, top };
  }
  return null;
}

function keepInPlace(anchor) {
  if (!anchor || window.scrollY === 0) return;
  const row = document.querySelector(`tr[data-key="${anchor.key}"]`);
  if (row) window.scrollBy(0, row.getBoundingClientRect().top - anchor.top);
}

function replaceLiveParts(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const anchor = firstVisibleRow();
  const focused = document.activeElement?.getAttribute("href");
  for (const part of document.querySelectorAll("[data-live]")) {
    const replacement = fresh.querySelector(`[data-live="${part.dataset.live}"]`);
    if (replacement) part.replaceWith(document.adoptNode(replacement));
  }
  if (focused) document.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  keepInPlace(anchor);
}

async function refresh() {
  if (document.hidden || !window.getSelection().isCollapsed) return;
  try {
    const headers = tag ? { "If-None-Match": tag } : {};
    const response = await fetch(location.href, { headers, cache: "no-store" });
    document.body.classList.remove("offline");
    if (!response.ok) return;
    tag = response.headers.get("ETag");
    replaceLiveParts(await response.text());
  } catch {
    document.body.classList.add("offline");
  }
}

if (document.querySelector("main [data-live]")) setInterval(refresh, EVERY);
