// Subtitles that can be read: at most two lines of 42 characters, and between one and seven seconds on the screen.

/** Characters in a line, as in the BBC's and Netflix's guidelines. */
const LINE_CHARACTERS = 42;
const LINES = 2;
const LONGEST_SECONDS = 7;
/** A cue stays at least so long, where the next one leaves it the time. */
const SHORTEST_SECONDS = 1;

/** The SubRip file of finals as `Transcript` keeps them. */
export function toSrt(finals) {
  return cuesOf(finals)
    .map((cue, index) => `${index + 1}\n${stamp(cue.start, ",")} --> ${stamp(cue.end, ",")}\n${cue.lines.join("\n")}\n\n`)
    .join("");
}

/** The WebVTT file of finals as `Transcript` keeps them. */
export function toVtt(finals) {
  const escape = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const cues = cuesOf(finals).map(
    (cue) => `${stamp(cue.start, ".")} --> ${stamp(cue.end, ".")}\n${escape(cue.lines.join("\n"))}\n\n`,
  );
  return `WEBVTT\n\n${cues.join("")}`;
}

/** The cues `{ start, end, lines }` of finals, in seconds. */
export function cuesOf(finals) {
  const cues = finals.flatMap((final) => cut(final.words));
  cues.forEach((cue, index) => {
    const next = cues[index + 1]?.start ?? Infinity;
    cue.end = Math.min(Math.max(cue.end, cue.start + SHORTEST_SECONDS), Math.max(next, cue.start));
  });
  return cues;
}

/** Fills cues with words, each until the next word would make it too large or too long. */
function cut(words) {
  const cues = [];
  let from = 0;
  for (let to = 1; to <= words.length; to++) {
    if (to < words.length && fits(words.slice(from, to + 1))) continue;
    const cue = words.slice(from, to);
    const end = Math.min(cue.at(-1).end, cue[0].start + LONGEST_SECONDS);
    cues.push({ start: cue[0].start, end, lines: wrap(cue) });
    from = to;
  }
  return cues;
}

function fits(words) {
  return words.at(-1).end - words[0].start <= LONGEST_SECONDS && wrap(words).length <= LINES;
}

/** Fills lines with words. A word longer than a line has a line of its own. */
function wrap(words) {
  const lines = [];
  for (const { text } of words) {
    const longer = `${lines.at(-1)} ${text}`;
    if (lines.length > 0 && longer.length <= LINE_CHARACTERS) lines[lines.length - 1] = longer;
    else lines.push(text);
  }
  return lines;
}

/** `HH:MM:SS` and milliseconds after the format's decimal mark. */
function stamp(seconds, mark) {
  const milliseconds = Math.round(seconds * 1000);
  const two = (value) => String(Math.floor(value)).padStart(2, "0");
  const whole = `${two(milliseconds / 3_600_000)}:${two((milliseconds / 60_000) % 60)}:${two((milliseconds / 1000) % 60)}`;
  return `${whole}${mark}${String(milliseconds % 1000).padStart(3, "0")}`;
}
