// Keeps a decision one person's one deed, and what was written through a reload of the page.
// A key that is held down, and a second press before anybody can have read what the first one opened, decide nothing.
// What stands in the reply box stays in this tab's own storage, by the draft that it began with, until it is signed out.
(() => {
  if (window.rejoinderSteadyHand) return;
  window.rejoinderSteadyHand = true;
  const READING_MS = 1000;
  const DECISIONS = ".st-key-approve, .st-key-confirm_reject, .st-key-confirm_send_back";
  const KEPT = "rejoinder_reply_";
  const restored = new Set();
  let decidedAt = -READING_MS;

  const isWriting = (target) => target instanceof Element && target.closest("input, textarea, [contenteditable]");
  const stop = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };
  const isTooSoon = (event) => {
    if (event.timeStamp - decidedAt < READING_MS) return true;
    decidedAt = event.timeStamp;
    return false;
  };

  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    // Enter presses the button that has the focus again and again. Space does not, and held down it scrolls.
    const isKeyOfOurs = event.key === "Enter" || (event.key.length === 1 && event.key !== " ");
    if (!isKeyOfOurs) return;
    if (event.repeat || (event.key.toLowerCase() === "a" && isTooSoon(event))) stop(event);
  }, true);
  window.addEventListener("click", (event) => {
    if (!event.isTrusted || !(event.target instanceof Element)) return;
    if (event.target.closest(DECISIONS) && isTooSoon(event)) stop(event);
    if (event.target.closest(".st-key-sign_out, .st-key-reset_text")) forget(event.target);
  }, true);

  const draftOf = (box) => /st-key-of_draft_(\d+)/.exec(box.closest("[class*='st-key-of_draft_']")?.className)?.[1];
  const forget = (pressed) => {
    const every = pressed.closest(".st-key-sign_out");
    const box = document.querySelector(".st-key-reply_text textarea");
    for (const key of Object.keys(sessionStorage)) {
      if (key.startsWith(KEPT) && (every || (box && key === KEPT + draftOf(box)))) sessionStorage.removeItem(key);
    }
  };
  document.addEventListener("input", (event) => {
    const box = event.target;
    if (!(box instanceof HTMLTextAreaElement) || !box.closest(".st-key-reply_text")) return;
    const draft = draftOf(box);
    if (draft) sessionStorage.setItem(KEPT + draft, box.value);
  });
  const restore = () => {
    const box = document.querySelector(".st-key-reply_text textarea:enabled");
    const draft = box && draftOf(box);
    if (!draft || restored.has(draft)) return;
    restored.add(draft);
    const kept = sessionStorage.getItem(KEPT + draft);
    if (kept === null || kept === box.value) return;
    box.focus();
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, kept);
    box.dispatchEvent(new Event("input", { bubbles: true }));
  };
  new MutationObserver(restore).observe(document.body, { childList: true, subtree: true });
  restore();
})();
