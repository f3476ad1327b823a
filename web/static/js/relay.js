// The relay desk, live and by keyboard. Without this script every form here works as a plain form.
import { appendOnce, follow, lastSeq, nextKey, renewKey } from "./stream.js";

const relay = document.querySelector("[data-relay]");
const threads = relay.querySelector("[data-threads]");
const name = relay.querySelector("[data-name]");
const conversation = relay.querySelector("[data-conversation]");

function replace(holder, html) {
  if (holder.innerHTML.trim() !== html.trim()) holder.innerHTML = html;
}

follow(() => `/desk/relay/events?current=${relay.dataset.current}`, {
  threads: (html) => {
    const focused = document.activeElement?.closest("[data-thread]")?.dataset.thread;
    replace(threads, html);
    if (focused) threads.querySelector(`[data-thread="${CSS.escape(focused)}"]`)?.focus();
  },
  quarantine: (html) => { replace(relay.querySelector("[data-quarantine]"), html); },
});

// Alt with an arrow: the next or previous thread; before the first one is the field for a new person.
document.addEventListener("keydown", (event) => {
  if (!event.altKey || event.ctrlKey || event.metaKey || !["ArrowDown", "ArrowUp"].includes(event.key)) return;
  event.preventDefault();
  const links = [...threads.querySelectorAll("[data-thread]")];
  const here = links.findIndex((link) => link.dataset.thread === relay.dataset.current);
  const next = event.key === "ArrowDown" ? here + 1 : here - 1;
  if (next < 0) name.focus();
  else if (links[next]) links[next].click();
});

if (conversation) {
  const list = conversation.querySelector("[data-messages]");
  const scroll = conversation.querySelector("[data-scroll]");
  const sending = conversation.querySelector("[data-to-send]");
  const problem = conversation.querySelector("[data-problem]");
  const told = conversation.querySelector("[data-told]");
  const form = conversation.querySelector("[data-paste]");
  const text = form.querySelector("textarea");
  const kind = form.querySelector("select");
  const thread = conversation.dataset.conversation;
  const drawer = `relay:${thread}`;
  // Marked here, and not to come back by a stream that was written a moment before.
  const marked = new Set();
  const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; };

  function prepare() {
    for (const id of marked) sending.querySelector(`[data-answer="${CSS.escape(id)}"]`)?.remove();
    for (const button of sending.querySelectorAll("[data-copy]")) button.hidden = false;
  }

  const firstCopy = () => sending.querySelector("[data-copy]");

  // The next answer that waits, then the box again.
  function goOn() {
    (firstCopy() ?? text).focus();
  }

  // Nothing is taken away from somebody who types, or who is at an answer already.
  function mayMove() {
    const at = document.activeElement;
    return !text.value && (at === text || at === document.body || at === null);
  }

  prepare();
  toEnd();
  if (!text.value) text.value = sessionStorage.getItem(drawer) ?? "";
  if (mayMove()) goOn();
  // The address names the box, and a browser goes there once more when all is loaded.
  addEventListener("load", () => { setTimeout(() => { if (mayMove()) goOn(); }); });

  follow(() => `/desk/relay/threads/${thread}/events?since=${lastSeq(list)}`, {
    message: (html) => { if (appendOnce(list, html)) toEnd(); },
    reset: () => { list.replaceChildren(); },
    acts: (html) => { replace(conversation.querySelector("[data-acts]"), html); },
    "to-send": (html) => {
      const at = document.activeElement?.closest("[data-answer]");
      const wanted = document.activeElement?.matches("[data-copy]") ? "[data-copy]" : "[data-mark=sent] button";
      const move = mayMove();
      const id = at && at.dataset.answer;
      replace(sending, html);
      prepare();
      if (id) (sending.querySelector(`[data-answer="${CSS.escape(id)}"] ${wanted}`) ?? firstCopy() ?? text).focus();
      else if (move && firstCopy()) firstCopy().focus();
    },
  });

  async function post(target, fields) {
    problem.textContent = "";
    told.textContent = "";
    try {
      const answer = await fetch(target.action, {
        method: "POST", body: new URLSearchParams(fields), headers: { Accept: "application/json" },
      });
      const said = await answer.json().catch(() => ({}));
      if (answer.ok) return said;
      problem.textContent = said.problem || conversation.dataset.failed;
    } catch {
      problem.textContent = conversation.dataset.failed;
    }
    return null;
  }

  text.addEventListener("input", () => sessionStorage.setItem(drawer, text.value));
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    const sent = text.value;
    renewKey(form, `${kind.value} ${sent}`);
    const fields = new FormData(form);
    // Empty at once, so that the next message can be pasted while this one is on its way.
    text.value = "";
    text.focus();
    const said = await post(form, fields);
    if (said) {
      nextKey(form, said.key);
      kind.value = "text";
      sessionStorage.setItem(drawer, text.value);
    } else text.value = text.value ? `${sent}\n${text.value}` : sent;
    form.ariaBusy = "false";
  });

  sending.addEventListener("submit", async (event) => {
    event.preventDefault();
    const target = event.target;
    const answer = target.closest("[data-answer]");
    if (answer.ariaBusy === "true") return;
    answer.ariaBusy = "true";
    const said = await post(target, new FormData(target));
    answer.ariaBusy = "false";
    if (!said) return;
    marked.add(answer.dataset.answer);
    sending.querySelector(`[data-answer="${CSS.escape(answer.dataset.answer)}"]`)?.remove();
    goOn();
  });

  sending.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const answer = button.closest("[data-answer]");
    const words = answer.querySelector("[data-text]");
    problem.textContent = "";
    try {
      await navigator.clipboard.writeText(words.textContent);
      told.textContent = conversation.dataset.copied;
    } catch {
      // No clipboard without https, or not allowed: the operator's own keys copy what is selected.
      getSelection().selectAllChildren(words);
      problem.textContent = conversation.dataset.copyFailed;
    }
    answer.querySelector("[data-mark=sent] button").focus();
  });

  conversation.addEventListener("keydown", (event) => {
    if (event.key === "Escape") text.focus();
  });
}
