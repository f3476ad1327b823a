// The resident's page, live. Without this script every form here works as a plain form.
import { appendOnce, follow, lastSeq, nextKey, renewKey } from "./stream.js";

const chat = document.querySelector("[data-chat]");
const list = chat.querySelector("[data-messages]");
const scroll = chat.querySelector("[data-scroll]");
const waiting = chat.querySelector("[data-waiting]");
const status = chat.querySelector("[data-status]");
const composer = chat.querySelector("[data-composer]");
const text = composer.querySelector("textarea");
const writing = chat.querySelector("[data-writing]");
let following = false;
let patience = 0;
let pen = 0;

function toEnd() {
  const newest = list.lastElementChild;
  if (newest) newest.scrollIntoView({ block: newest.offsetHeight > scroll.clientHeight * 0.8 ? "start" : "end" });
}

// A person writes; it goes by itself, as nobody tells when they stop.
function personWrites(seconds) {
  const atEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 40;
  waiting.hidden = true;
  if (!writing.textContent) writing.textContent = writing.dataset.writing;
  if (atEnd) scroll.scrollTop = scroll.scrollHeight;
  clearTimeout(pen);
  pen = setTimeout(personStops, seconds * 1000);
}

function personStops() {
  clearTimeout(pen);
  writing.textContent = "";
}

function received(html) {
  if (!appendOnce(list, html)) return;
  if (list.lastElementChild.classList.contains("mediator")) personStops();
  if (!list.lastElementChild.classList.contains("resident")) waiting.hidden = true;
  // Only what followed the resident's last word is open: older buttons would ask for what is over.
  const last = [...list.querySelectorAll(".resident")].at(-1);
  for (const form of list.querySelectorAll("[data-choices]")) {
    if (last && last.compareDocumentPosition(form) & Node.DOCUMENT_POSITION_PRECEDING) form.remove();
  }
  toEnd();
}

function live() {
  if (following) return;
  following = true;
  follow(() => `/events?since=${lastSeq(list)}`, {
    message: received,
    reset: () => { list.replaceChildren(); },
    typing: (seconds) => personWrites(Number(seconds)),
  });
}

async function post(form, fields) {
  status.textContent = "";
  let answer;
  try {
    answer = await fetch(form.getAttribute("action"), {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { Accept: "application/json" },
    });
  } catch {
    status.textContent = chat.dataset.failed;
    return false;
  }
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    status.textContent = said.problem || chat.dataset.failed;
    return false;
  }
  // The key has done its work: the next message is another one.
  nextKey(form, said.key);
  waiting.hidden = false;
  // A person takes longer than a moment: then the dots would only worry.
  clearTimeout(patience);
  patience = setTimeout(() => { waiting.hidden = true; }, 8000);
  waiting.scrollIntoView({ block: "end" });
  live();
  return true;
}

composer.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (composer.ariaBusy === "true") return;
  composer.ariaBusy = "true";
  const sent = text.value;
  renewKey(composer, sent);
  if (await post(composer, new FormData(composer)) && text.value === sent) text.value = "";
  composer.ariaBusy = "false";
});

text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    composer.requestSubmit();
  }
});

chat.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-choices], [data-pick]")) return;
  event.preventDefault();
  const fields = new FormData(form, event.submitter);
  form.closest("details")?.removeAttribute("open");
  post(form, fields);
});

if ("live" in chat.dataset) {
  toEnd();
  live();
}

// What is half written goes along into another language. It is kept for no longer than the page takes to come back.
document.querySelector(".languages").addEventListener("submit", () => sessionStorage.setItem("typed", text.value));
text.value ||= sessionStorage.getItem("typed") ?? "";
sessionStorage.removeItem("typed");
