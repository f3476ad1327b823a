// A stream of server-sent events that comes back by itself: EventSource gives up for good after an error page.

const FIRST_DELAY = 1000;
const LONGEST_DELAY = 30000;

// `address` gives the URL to open, so that it can say from where to go on; `handlers` maps event names to functions.
export function follow(address, handlers) {
  let source = null;
  let delay = FIRST_DELAY;
  let timer = 0;

  function open() {
    clearTimeout(timer);
    if (source) source.close();
    source = new EventSource(address());
    source.addEventListener("open", () => { delay = FIRST_DELAY; });
    source.addEventListener("error", () => {
      if (source.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(open, delay);
      delay = Math.min(delay * 2, LONGEST_DELAY);
    });
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handle(event.data, event.lastEventId));
    }
  }

  // A phone that slept often keeps a connection that is dead without knowing it.
  document.addEventListener("visibilitychange", () => { if (!document.hidden) open(); });
  addEventListener("online", open);
  open();
}

// Appends a row of the transcript at its place, once: its number is its id. True where it is new.
export function appendOnce(list, html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const row = holder.content.firstElementChild;
  if (!row || document.getElementById(row.id)) return false;
  row.classList.add("new");
  const after = [...list.children].reverse().find((other) => Number(other.dataset.seq) < Number(row.dataset.seq));
  if (after) after.after(row); else list.prepend(row);
  return true;
}

// The key of a form names one use of it, so that sending twice counts once. A text that was changed after a
// failed try is another use: it gets a key of its own.
export function renewKey(form, text) {
  if (form.dataset.tried !== undefined && form.dataset.tried !== text) {
    form.querySelector("[name=key]").value = `${Date.now()}-${Math.random()}`;
  }
  form.dataset.tried = text;
}

// The next use of a form, after one that arrived.
export function nextKey(form, key) {
  form.querySelector("[name=key]").value = key;
  delete form.dataset.tried;
}

export function lastSeq(list) {
  return Math.max(0, ...[...list.children].map((row) => Number(row.dataset.seq)));
}
