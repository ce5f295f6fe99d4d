// The player: the moment that is shown, and everything that shows it.

const SPEEDS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100];
const PANEL_EVERY = 160;

class Player {
  constructor(head, film) {
    const started = performance.now();
    this.head = head;
    this.end = head.end;
    this.screen = new Screen(film);
    const curves = new Curves(head.end);
    this.screen.survey((time, totals) => curves.add(time, totals));
    curves.reach(BINS - 1);
    this.time = 0;
    this.playing = false;
    this.speed = 1;
    this.chosen = -1;
    this.stats = { frames: 0, draw: [], gaps: [], seek: [], survey: 0 };
    this.grid = new Grid(byId("grid"), head, this.screen);
    this.timeline = new Timeline(byId("timeline"), head, curves);
    this.counts = new Counts(byId("counts"), head);
    this.panel = new NodePanel(byId("node"), head, this.screen, (node) => this.choose(node));
    this.events = new EventList(byId("events"), byId("kinds"), head, (k) => this.goTo(k), (nodes) => this.light(nodes));
    this.words();
    this.stats.survey = performance.now() - started;
    new ResizeObserver(() => this.layOut()).observe(byId("field"));
    new ResizeObserver(() => this.layOut()).observe(document.querySelector(".line"));
    DARK.addEventListener("change", () => this.retheme());
    this.retheme();
  }

  words() {
    const { head } = this;
    byId("about").textContent = byId("about").title = head.about;
    byId("timeline").setAttribute("aria-valuemax", (this.end / 1e6).toFixed(3));
    byId("speed").append(...SPEEDS.map((speed) => make("option", { value: speed }, `${speed}×`)));
    byId("speed").value = "1";
    const origin = byId("origin");
    if (head.command) origin.append("Made by ", make("code", {}, head.command), ". ");
    origin.append(`rumormill-sim ${head.version}, run digest `, make("code", {}, head.digest), ". The same scenario and seed give the same page.");
    byId("cut").hidden = !head.cut_short;
    byId("cut").textContent = `This film ends at ${seconds(head.end)}, before the run does: more changed than it holds.`;
    const marks = new Set();
    const { film } = this.screen;
    for (let k = 0; k < film.heads.length; k++) {
      const code = film.heads[k] % 8, item = film.items[film.firsts[k]];
      if (code === GONE) marks.add([0, 0, 3, 2, 4][item]);
      if (code === CONDITION) marks.add(5 + (item >> 1));
    }
    this.marks = [...marks].filter(Boolean).sort();
  }

  retheme() {
    const theme = makeTheme();
    this.grid.theme = this.timeline.theme = theme;
    this.timeline.stale = this.grid.all = true;
    this.legend(theme);
    this.layOut();
  }

  // What colours and marks mean.
  legend(theme) {
    const legend = byId("legend");
    const swatch = (colour, text, cls = "") => make("span", {}, make("i", { class: `swatch ${cls}`, style: `background:${colour}` }), text);
    const parts = [];
    if (this.chosen < 0) {
      parts.push(swatch(theme.shades[0], "all"));
      const bar = make("i", { class: "ramp", style: `background:linear-gradient(to right,${theme.ramp.join(",")})` });
      const ramp = make("span", { class: "scale" }, bar);
      for (const [doubt, text] of [[0.01, "99 %"], [0.1, "90 %"], [0.5, "half"], [1, "nobody"]]) {
        ramp.append(make("small", { style: `left:${(doubtShare(doubt) * 100).toFixed(1)}%` }, text));
      }
      ramp.title = "Who suspects a node counts half";
      parts.push(ramp, make("span", {}, "(a suspicion counts half)"));
      legend.setAttribute("aria-label", "Colours: pale for nodes that all others believe alive, then yellow, orange, red and dark red the fewer do; who suspects a node counts half.");
    } else {
      [ALIVE, SUSPECT, FAILED, LEFT].forEach((view) => parts.push(swatch(theme.shades[SHADE_OF_VIEW[view]], VIEW_TEXT[view])));
      parts.push(swatch("transparent", "unknown", "empty"), make("span", {}, make("i", { class: "swatch wrong" }), "wrong"));
      legend.setAttribute("aria-label", "Colours: what the chosen node believes of each other: alive, suspected, failed, left, unknown. A line below marks what is wrong.");
    }
    for (const mark of this.marks) {
      const canvas = make("canvas", { "aria-hidden": "true" });
      fit(canvas, 16, 16);
      drawMark(canvas.getContext("2d"), mark, 0, 0, canvas.width, theme.ink);
      parts.push(make("span", { title: MARK_TEXT[MARKS[mark]] }, canvas, MARKS[mark]));
    }
    legend.replaceChildren(...parts);
  }

  layOut() {
    const field = byId("field").getBoundingClientRect(), line = document.querySelector(".line").getBoundingClientRect();
    if (field.width < 10 || line.width < 10) return;
    this.grid.resize(Math.floor(field.width), Math.floor(field.height));
    this.timeline.resize(Math.floor(line.width));
    this.timeline.stale = true;
    this.wake();
  }

  // Asks for a frame, once.
  wake() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame((now) => this.frame(now));
  }

  frame(now) {
    this.asked = false;
    if (this.playing) {
      const gap = now - this.lastFrame;
      this.stats.gaps.push(gap);
      // After a pause of the browser the film goes on where it was.
      this.time = Math.min(this.end, this.time + Math.min(Math.max(gap, 0), 250) * 1e3 * this.speed);
      this.lastFrame = now;
      if (this.time >= this.end) this.pause();
    }
    const begin = performance.now();
    this.draw(now);
    this.stats.frames += 1;
    this.stats.draw.push(performance.now() - begin);
    // A film may play for hours.
    for (const kept of [this.stats.draw, this.stats.gaps, this.stats.seek]) if (kept.length > 4000) kept.splice(0, 2000);
    if (this.playing) this.wake();
  }

  draw(now) {
    const begin = performance.now();
    this.screen.seek(this.time);
    this.stats.seek.push(performance.now() - begin);
    this.grid.draw();
    if (this.playing) this.timeline.follow(this.time);
    this.timeline.draw(this.time);
    this.counts.draw(this.screen.totals);
    const clock = seconds(this.time);
    if (clock !== this.shownClock) byId("clock").textContent = this.shownClock = clock;
    // Lists that change many times a second help nobody.
    if (!this.playing || !(now - this.shownPanel < PANEL_EVERY)) {
      this.shownPanel = now;
      this.panel.draw(this.chosen);
      this.events.draw(this.time);
      this.lastEvent();
      byId("timeline").setAttribute("aria-valuenow", (this.time / 1e6).toFixed(3));
      byId("timeline").setAttribute("aria-valuetext", this.sentence());
    }
  }

  lastEvent() {
    const event = this.head.events[this.events.current];
    const text = event ? `${seconds(event.at)}: ${event.text}` : "";
    if (byId("last").textContent !== text) byId("last").textContent = text;
  }

  sentence() {
    const t = this.screen.totals;
    return `${seconds(this.time)}: ${commas(t[N_UP])} up, ${commas(t[N_SUSPECTED])} suspected pairs, ${commas(t[N_FAILED])} failed pairs, ${commas(t[N_WRONG])} wrong pairs`;
  }

  // Goes to a moment (microseconds).
  seek(time) {
    this.time = Math.min(this.end, Math.max(0, time));
    this.timeline.follow(this.time);
    this.wake();
  }

  // Says a sentence to whoever listens instead of looking.
  say(text) {
    byId("said").textContent = text;
  }

  goTo(k) {
    const event = this.head.events[k];
    if (!event) return;
    this.seek(event.at);
    this.light(event.nodes);
    this.say(`${seconds(event.at)}: ${event.text}`);
  }

  nextEvent() {
    this.goTo(this.events.next(this.time));
  }

  previousEvent() {
    this.goTo(this.events.previous(this.time));
  }

  play() {
    if (this.time >= this.end) this.time = 0;
    this.playing = true;
    this.lastFrame = performance.now();
    this.light([]);
    this.playChanged();
  }

  pause() {
    this.playing = false;
    this.playChanged();
  }

  playChanged() {
    byId("play").setAttribute("aria-label", this.playing ? "Pause" : "Play");
    byId("app").classList.toggle("playing", this.playing);
    this.wake();
  }

  setSpeed(speed) {
    this.speed = speed;
    byId("speed").value = String(speed);
  }

  faster(by) {
    const k = SPEEDS.indexOf(this.speed) + by;
    this.setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, k))]);
  }

  // Shows what one node believes; -1: all of them.
  choose(node) {
    this.chosen = this.grid.chosen = node;
    if (node >= 0 || document.activeElement !== this.grid.canvas) this.grid.cursor = node;
    byId("seen").textContent = node < 0 ? "How many of the others believe each node alive" : `What ${nameOf(node)} believes`;
    byId("app").classList.toggle("one", node >= 0);
    this.legend(this.grid.theme);
    this.wake();
  }

  light(nodes) {
    if (!nodes.length && !this.grid.lit.size) return;
    this.grid.lit = new Set(nodes);
    this.wake();
  }

  // For tests, and for whoever is curious in the console.
  figures() {
    this.screen.seek(this.time);
    const t = this.screen.totals;
    return { up: t[N_UP], suspected: t[N_SUSPECTED], failed: t[N_FAILED], wrong: t[N_WRONG], false_positives: t[N_FALSE] };
  }

  // How many nodes the chosen one believes unknown, alive, suspected, failed, left.
  beliefs() {
    this.screen.seek(this.time);
    return [UNKNOWN, ALIVE, SUSPECT, FAILED, LEFT].map((view) => this.screen.believes(this.chosen, view).length);
  }
}
