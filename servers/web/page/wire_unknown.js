// Why nobody can say what some bytes are, in words for the reader.

/** Whether nothing of a span is kept. */
const isUnkept = (view, span) => view.bytesOf(span, 1).length === 0;

/** Who has seen bytes that are not kept, and noted nothing of what they are. Empty if it was noted. */
export function whoNotedNothing(view, span) {
  if (span.role !== "undecided" || !isUnkept(view, span)) return "";
  const seeing = view.data.runs.filter((run) => run.wire).map((run) => run.backend);
  return seeing.join(" and ") || "the server";
}

/** What stands in place of a rule for bytes that met none; empty if nothing has to be said. */
export function whyNoRule(view, span) {
  if (span.role === "unread") return "These bytes arrived and were not read: the refusal came first.";
  if (span.role !== "undecided") return "";
  const who = whoNotedNothing(view, span);
  if (!who) return "These bytes may begin a delimiter. The body ended before that was decided.";
  const more = who.includes("socket") ? "" : " The socket server does.";
  return `They are not kept, and ${who} does not note what they are.${more}`;
}
