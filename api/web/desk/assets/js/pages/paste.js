// For those without a help desk: paste a message, get the suggestion.

import { post } from "../api.js";
import { h } from "../dom.js";
import { shortcut } from "../keys.js";
import { button, busy, field, input, mount, select, textarea } from "../ui.js";

const message = textarea({ rows: 10, required: true, maxlength: 100000, placeholder: "Paste what the customer wrote, as it is: quotes and signature may stay.", dir: "auto" });
const subject = input({ maxlength: 998, autocomplete: "off" });
const name = input({ maxlength: 200, autocomplete: "off" });
const customer = input({ maxlength: 128, autocomplete: "off", pattern: "[!-~]*" });
const channel = select(["email", "chat", "phone", "social", "form"]);
const go = button("Suggest a reply", { icon: "spark", kind: "primary", type: "submit", keys: "Ctrl Enter" });
const form = h("form", { class: "card paste" }, h("div", { class: "body stack" },
  field("Message", message),
  h("div", { class: "columns" }, field("Subject (optional)", subject), field("Channel", channel, { hint: "A chat gets a shorter reply than an e-mail." })),
  h("div", { class: "columns" }, field("Customer's name (optional)", name, { hint: "For the greeting." }), field("Customer id (optional)", customer, { hint: "Brings their history along." })),
  h("div", { class: "row" }, go, h("span", { class: "muted small" }, "Nothing is sent to anybody. The conversation is kept on this server."))));

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (message.value.trim()) busy(go, start); else message.focus();
});

let kept = false;

async function start() {
  const body = { channel: channel.value, subject: subject.value, customer: { name: name.value.trim() || null, id: customer.value.trim() || null }, messages: [{ author: "customer", text: message.value }] };
  const { conversation } = await post("/v1/conversations", body);
  kept = true;
  location.assign(`/desk/conversations/${encodeURIComponent(conversation.id)}`);
}

addEventListener("beforeunload", (event) => { if (!kept && message.value.trim()) event.preventDefault(); });
shortcut("mod+enter", "Suggest a reply", () => form.requestSubmit());
mount("app", form);
message.focus();
