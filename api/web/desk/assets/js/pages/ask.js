// Ask the knowledge.

import { mount, panel } from "../ui.js";
import { asking } from "../agent/asking.js";
import { sourceView } from "../agent/source.js";

const chat = asking((source, spans) => panel(source.title, sourceView(source, spans)));
mount("app", chat);
chat.focusField();
