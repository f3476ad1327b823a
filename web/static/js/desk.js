// The mediators' desk, live. Without this script every form here works as a plain form.
import { appendOnce, follow, lastSeq, nextKey, renewKey } from "./stream.js";

const desk = document.querySelector("[data-desk]");
const lists = desk.querySelector("[data-lists]");
const conversation = desk.querySelector("[data-conversation]");
const title = document.title;
let unread = 0;

function count(change) {
  unread = change ? unread + change : 0;
  document.title = unread ? `(${unread}) ${title}` : title;
}

// How long each resident waits, kept current: the text around the number is the server's.
function age() {
  for (const time of lists.querySelectorAll("[data-since]")) {
    const minutes = Math.max(0, Math.floor((Date.now() - Date.parse(time.dateTime)) / 60000));
    time.textContent = time.textContent.replace(/\d+/, minutes);
  }
}
setInterval(age, 15000);

follow(() => `/desk/queue/events?current=${desk.dataset.current}`, {
  queue: (html) => {
    const before = new Set([...lists.querySelectorAll("[data-ticket]")].map((item) => item.dataset.ticket));
    const held = document.activeElement?.closest("[data-ticket], [data-mine]")?.dataset ?? {};
    lists.innerHTML = html;
    const now = [...lists.querySelectorAll("[data-ticket]")].map((item) => item.dataset.ticket);
    if (document.hidden) count(now.filter((id) => !before.has(id)).length);
    if (held.ticket) lists.querySelector(`[data-ticket="${CSS.escape(held.ticket)}"] button`)?.focus();
    if (held.mine) lists.querySelector(`[data-mine="${CSS.escape(held.mine)}"]`)?.focus();
  },
  // Asked by the server, and answered, so that nobody is told to be here whose laptop is closed.
  here: () => {
    const csrf = document.querySelector("[name=csrf]").value;
    fetch("/desk/here", { method: "POST", body: new URLSearchParams({ csrf }) }).catch(() => {});
  },
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) count(0); });

if (conversation) {
  const list = conversation.querySelector("[data-messages]");
  const scroll = conversation.querySelector("[data-scroll]");
  const status = conversation.querySelector("[data-status]");
  const ticket = conversation.dataset.conversation;
  const changed = conversation.querySelector("[data-changed]");
  const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; };
  const nearEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 120;
  let reading = true;
  toEnd();
  // Whoever reads the newest message goes on seeing it when a fold opens below, or the box grows.
  scroll.addEventListener("scroll", () => { reading = nearEnd(); });
  new ResizeObserver(() => { if (reading) toEnd(); }).observe(scroll);

  follow(() => `/desk/tickets/${ticket}/events?since=${lastSeq(list)}`, {
    message: (html) => {
      const atEnd = nearEnd();
      if (!appendOnce(list, html)) return;
      // Whoever ends the conversation says what they had seen by then.
      for (const seen of conversation.querySelectorAll("[name=seen]")) seen.value = lastSeq(list);
      if (document.hidden && list.lastElementChild.classList.contains("resident")) count(1);
      if (atEnd) toEnd();
    },
    reset: () => { list.replaceChildren(); },
    allowance: (html) => { conversation.querySelector("[data-allowance]").innerHTML = html; },
    ticket: () => { changed.hidden = false; },
  });

  // What is typed survives the page, in this tab alone; gives the name that it is kept under.
  function keeping(text, name) {
    const drawer = `draft:${ticket}:${name}`;
    if (text.value) sessionStorage.setItem(drawer, text.value);
    else text.value = sessionStorage.getItem(drawer) ?? "";
    text.addEventListener("input", () => sessionStorage.setItem(drawer, text.value));
    return drawer;
  }

  // A reply that could not be sent any more: shown, to go on with or to keep as a note.
  const kept = conversation.querySelector("[data-kept]");
  if (kept) {
    const text = kept.querySelector("textarea");
    const drawer = keeping(text, "reply");
    if (text.value) for (const each of [kept, text.closest("label")]) each.hidden = false;
    kept.addEventListener("submit", (event) => {
      if (kept.action.endsWith("/note") && !event.submitter?.hasAttribute("formaction")) sessionStorage.removeItem(drawer);
    });
  }

  // The resident sees that somebody writes: told at most every four seconds, and nobody's trouble where it fails.
  const reply = conversation.querySelector("[data-draft=reply]");
  let told = 0;
  reply?.addEventListener("input", (event) => {
    if (!event.target.value.trim() || Date.now() - told < 4000) return;
    told = Date.now();
    const csrf = reply.querySelector("[name=csrf]").value;
    fetch(`/desk/tickets/${ticket}/typing`, { method: "POST", body: new URLSearchParams({ csrf }) }).catch(() => {});
  });

  for (const form of conversation.querySelectorAll("[data-send]")) {
    const text = form.querySelector("textarea");
    const drawer = keeping(text, form.dataset.draft);
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    form.addEventListener("submit", async (event) => {
      // The button that leads to the conversation as it is now.
      if (event.submitter?.hasAttribute("formaction")) return;
      event.preventDefault();
      if (form.ariaBusy === "true") return;
      form.ariaBusy = "true";
      status.textContent = "";
      const sent = text.value;
      renewKey(form, sent);
      try {
        const answer = await fetch(form.action, {
          method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" },
        });
        const said = await answer.json().catch(() => ({}));
        if (answer.ok) {
          nextKey(form, said.key);
          told = 0;
          if (text.value === sent) text.value = "";
          sessionStorage.removeItem(drawer);
        } else {
          status.textContent = said.problem || conversation.dataset.failed;
          if (said.changed) changed.hidden = false;
        }
      } catch {
        status.textContent = conversation.dataset.failed;
      }
      form.ariaBusy = "false";
    });
  }
}
