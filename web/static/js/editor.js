// Warns before an editor leaves a form with changes that were not published.
const form = document.querySelector("[data-guard]");
const fields = () => JSON.stringify([...new FormData(form)]);
const first = fields();
let leaving = false;

form.addEventListener("submit", () => { leaving = true; });
addEventListener("beforeunload", (event) => {
  // After a preview the form holds a draft from the start: that too is not published yet.
  const draft = document.querySelector(".preview") !== null;
  if (!leaving && (draft || fields() !== first)) event.preventDefault();
});
