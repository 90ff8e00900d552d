// What happened, at a pace that an eye can follow.
//
// Each service reports for itself, a few at a time, so a call may be told of after its reply: what comes is held for a
// moment, and put into the order in which it was sent.
//
// A boot is twenty messages in a tenth of a second.  So what the stream brings, messages and changes of the world alike,
// waits here, and is taken in its order: one after another with a pause between them.  If more comes than can be shown,
// the pause shrinks; what is still too much happens at once, without being drawn, and is counted.

// pace → milliseconds between two messages, how long one travels, and how many may wait before some are not drawn.
export const PACES = {
  real: { name: "real time", gap: 0, travel: 450, most: 120 },
  easy: { name: "easy", gap: 230, travel: 1_300, most: 300 },
  slow: { name: "slow motion", gap: 1_100, travel: 2_600, most: 3_000 },
};

const HELD = 700; // milliseconds, in which what was sent before may still come

export class Playback {
  // `show(item, drawn)` is called for each item in turn; drawn is false for those that only happen.
  constructor(show) {
    this.show = show;
    this.pace = "easy";
    this.paused = false;
    this.undrawn = 0;
    this.waiting = [];
    this.due = 0;
    this.now = 0;
    this.latest = 0; // when the newest message was sent, in seconds since the epoch
  }

  // Something happened: {message} or {world}.  A change of the world belongs behind the newest message so far.
  add(item) {
    const at = item.message?.at ?? this.latest;
    this.latest = Math.max(this.latest, at);
    let place = this.waiting.length;
    while (place && this.waiting[place - 1].at > at) place -= 1;
    this.waiting.splice(place, 0, { ...item, at, until: this.now + HELD });
    const { most } = PACES[this.pace];
    // Paused, it only remembers; the oldest of too many will not be drawn.
    while (!this.paused && this.waiting.length > most) this.skip();
    while (this.waiting.length > PACES.slow.most) this.skip();
  }

  // How many messages wait.
  get backlog() {
    return this.waiting.reduce((count, item) => count + (item.message ? 1 : 0), 0);
  }

  // How long a message travels, in milliseconds.
  get travel() {
    return PACES[this.pace].travel;
  }

  // Let what is due happen; to be called with each picture.
  tick(now) {
    this.now = now;
    while (!this.paused && this.waiting.length && now >= this.due && now >= this.waiting[0].until) {
      const item = this.waiting.shift();
      this.show(item, true);
      if (item.message) this.due = Math.max(this.due, now - 50) + this.gap();
    }
  }

  // Let the next message happen though it is not due: how one steps while paused.
  step() {
    while (this.waiting.length) {
      const item = this.waiting.shift();
      this.show(item, true);
      if (item.message) return;
    }
  }

  // Forget what waits.
  clear() {
    this.waiting.length = 0;
    this.undrawn = 0;
    this.due = 0;
  }

  gap() {
    const { gap } = PACES[this.pace];
    return this.pace === "slow" ? gap : gap / (1 + this.waiting.length / 40);
  }

  skip() {
    const item = this.waiting.shift();
    if (item.message) this.undrawn += 1;
    this.show(item, false);
  }
}
