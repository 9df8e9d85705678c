// Words that are being written stay in this tab until they are sent or put away: a reload, a step back or a session that ends loses none.

import { session } from "./api.js";

const ALL = "desk.unsaved.", MINE = `${ALL}${session.user}.`;

/** Keep the text for a conversation; none is kept where it is empty. */
export function keepWords(id, text) {
  try { text ? sessionStorage.setItem(MINE + id, text) : sessionStorage.removeItem(MINE + id); } catch { /* they last for this page, then */ }
}

/** What was kept for a conversation, else null. */
export function keptWords(id) {
  try { return sessionStorage.getItem(MINE + id); } catch { return null; }
}

/** Forget what somebody else wrote in this tab; `all` forgets one's own as well. */
export function forgetWords({ all = false } = {}) {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(ALL) && (all || !key.startsWith(MINE))) sessionStorage.removeItem(key);
  } catch { /* nothing is kept, then */ }
}
