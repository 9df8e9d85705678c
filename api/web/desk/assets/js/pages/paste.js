import { empty, mount } from "../ui.js";

mount("app", empty({ icon: "clock", title: "Not here yet", text: "This page is being built." }));
