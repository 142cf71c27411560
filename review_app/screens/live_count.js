// Hands the reply to the app while it is written, so that its length and what changed are shown at once.
// Streamlit takes the text of a box when it is left or on Ctrl+Enter; a pause in writing presses that key.
(() => {
  if (window.rejoinderLiveCount) return;
  window.rejoinderLiveCount = true;
  const PAUSE_MS = 350;
  let timer;
  document.addEventListener("input", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLTextAreaElement) || !box.closest(".st-key-reply_text")) return;
    clearTimeout(timer);
    if (event.isComposing) return;
    timer = setTimeout(() => {
      if (document.activeElement !== box) return;
      box.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", code: "Enter", ctrlKey: true, metaKey: true,
        bubbles: true, cancelable: true }));
    }, PAUSE_MS);
  });
})();
