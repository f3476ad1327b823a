// Narrows the list of entries while an editor types. Without this script the form does it.
const search = document.querySelector("[data-search]");
const field = search.querySelector("[name=q]");
let pause = 0;
let newest = null;

async function narrow() {
  newest?.abort();
  newest = new AbortController();
  const query = new URLSearchParams([...new FormData(search)].filter(([, value]) => value));
  const address = `${search.getAttribute("action")}?${query}`;
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: newest.signal });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.querySelector("[data-found]");
    // Signed out meanwhile: the form shows it at the next use.
    if (!found) return;
    document.querySelector("[data-found]").replaceWith(found);
    document.querySelector("[data-count]").textContent = page.querySelector("[data-count]").textContent;
    // So that the way back from an entry leads to what was looked for.
    history.replaceState(null, "", address);
  } catch {
    // Offline, or a newer search is on its way.
  }
}

field.addEventListener("input", () => {
  clearTimeout(pause);
  pause = setTimeout(narrow, 200);
});
for (const select of search.querySelectorAll("select")) select.addEventListener("change", narrow);
