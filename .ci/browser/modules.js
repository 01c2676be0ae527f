// Checks of the page's modules without a server, as a list of what does not hold. Evaluated in the page; the last expression is a promise of the list.
(async () => {
  const { Backlog } = await import("/backlog.js");
  const { cuesOf, toSrt, toVtt } = await import("/subtitles.js");
  const { Transcript } = await import("/transcript.js");
  const faults = [];
  const same = (found, expected, what) => {
    const [one, other] = [JSON.stringify(found), JSON.stringify(expected)];
    if (one !== other) faults.push(`${what}: ${one} instead of ${other}`);
  };
  const spoken = (text, start, seconds) =>
    text.split(" ").map((word, index) => ({ text: word, start: start + index * seconds, end: start + (index + 1) * seconds }));
  const transcriptOf = (words) => {
    const transcript = new Transcript();
    transcript.add({ text: words.map((word) => word.text).join(" "), words }, 0);
    return transcript;
  };

  // Cues.
  const long = Array(60).fill("word").join(" ");
  const cues = cuesOf(transcriptOf(spoken(long, 0, 0.5)).finals);
  same(cues.flatMap((cue) => cue.lines).join(" "), long, "a long final keeps its words");
  same(cues.every((cue) => cue.lines.length <= 2 && cue.lines.every((line) => line.length <= 42)), true, "cues have two short lines");
  same(cues.every((cue) => cue.end - cue.start <= 7), true, "cues last seven seconds at most");
  same(cues.every((cue, index) => index === 0 || cues[index - 1].end <= cue.start), true, "cues follow one another");
  const yes = transcriptOf(spoken("Yes.", 3723.004, 0.2));
  same(toSrt(yes.finals), "1\n01:02:03,004 --> 01:02:04,004\nYes.\n\n", "a short cue stays a second");
  same(toVtt(transcriptOf(spoken("<i> & Q", 0, 1)).finals), "WEBVTT\n\n00:00:00.000 --> 00:00:03.000\n&lt;i&gt; &amp; Q\n\n", "markup is escaped");
  same(toVtt([]), "WEBVTT\n\n", "an empty transcript is a header");

  // Times.
  const cleared = transcriptOf(spoken("Before.", 0, 1));
  cleared.clear(5);
  cleared.add({ text: "After.", words: spoken("After.", 2, 1) }, 4);
  same(cleared.finals.map((final) => final.words[0].start), [1], "times count from the clearing");

  // Audio kept for another connection.
  const backlog = new Backlog(10, 2, 3);
  const block = (first) => Int16Array.from({ length: 10 }, (_, index) => first + index);
  same([0, 10, 20].map((first) => backlog.push(block(first))), [0, 0, 0], "the backlog holds its limit");
  same(backlog.push(block(30)), 1, "beyond its limit the backlog counts what it displaces");
  same([backlog.start, backlog.end], [3, 6], "the backlog knows its times");
  backlog.release(4.5);
  same([backlog.start, backlog.blocks[0][0], backlog.end], [4.5, 25, 6], "the backlog forgets up to a sample");
  backlog.release(1);
  same(backlog.start, 4.5, "an earlier time forgets nothing");
  backlog.release(60);
  same([backlog.blocks.length, backlog.start], [0, 6], "a later time forgets what there is");
  return faults;
})();
