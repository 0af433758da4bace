/** A duration as `vpai` prints it (`0.9 s`, `12 s`, `1 min 15 s`), in milliseconds; undefined for other text. */
export function parseDuration(text: string): number | undefined {
  const [, minutes = "0", seconds] = /^(?:(\d+) min )?(\d+(?:\.\d)?) s$/.exec(text) ?? [];
  return seconds === undefined ? undefined : Number(minutes) * 60_000 + Number(seconds) * 1000;
}

/** The steps that `vpai start` says it has done, each with its time in milliseconds. */
export function stepTimes(output: string): [step: string, ms: number][] {
  return output.split("\n").flatMap((line): [string, number][] => {
    const [, step, text] = /^✓ (.+?) ((?:\d+ min )?\d+(?:\.\d)? s)$/.exec(line) ?? [];
    const ms = parseDuration(text ?? "");
    return step === undefined || ms === undefined ? [] : [[step, ms]];
  });
}
