// Figures of the moment, the chosen node, and the list of events.

const KINDS = [
  ["faults", "faults", ["fault-begins", "fault-ends"]],
  ["nodes", "nodes", ["down", "leaves", "starts"]],
  ["suspected", "suspected", ["suspected"]],
  ["failed", "failed", ["failed", "known"]],
  ["cleared", "cleared", ["cleared", "agreed"]],
];
const NAMES_SHOWN = 12;

class Counts {
  constructor(box, head) {
    const tile = (name, title) => {
      const value = make("dd");
      box.append(make("div", { title }, make("dt", {}, name), value));
      return value;
    };
    this.head = head;
    this.tiles = [
      tile("up", "Nodes that are really up"),
      tile("suspected pairs", "Pairs of a live observer and a node: the observer suspects the node"),
      tile("failed pairs", "The observer holds the node to be failed, rightly or not"),
      tile("wrong pairs", "What the observer believes differs from the truth"),
      tile("false positives", "So far: declared failed while up, undisturbed and within reach"),
    ];
    this.said = [];
  }

  draw(totals) {
    const texts = [`${commas(totals[N_UP])} of ${commas(this.head.nodes)}`, ...[N_SUSPECTED, N_FAILED, N_WRONG, N_FALSE].map((k) => commas(totals[k]))];
    texts.forEach((text, k) => {
      if (this.said[k] !== text) this.tiles[k].textContent = this.said[k] = text;
    });
  }
}

// What stands at the right: the chosen node, or whom fewest believe alive.
class NodePanel {
  constructor(box, head, screen, choose) {
    Object.assign(this, { box, head, screen, choose, key: "" });
  }

  zone(node) {
    return this.head.zones.find((zone) => node >= zone.first && node < zone.first + zone.nodes)?.name ?? "";
  }

  draw(chosen) {
    const { screen } = this;
    const content = chosen < 0 ? this.overview() : this.details(chosen);
    const key = `${chosen} ${content.map((part) => part.textContent).join("|")}`;
    if (key === this.key) return;
    // Whoever is on a button here keeps it.
    const held = this.box.contains(document.activeElement) ? document.activeElement.textContent : null;
    this.key = key;
    this.box.replaceChildren(...content);
    if (held) [...this.box.querySelectorAll("button")].find((button) => button.textContent === held)?.focus();
  }

  link(node) {
    return make("button", { type: "button", class: "name", onclick: () => this.choose(node) }, nameOf(node));
  }

  names(title, nodes) {
    if (!nodes.length) return [];
    const rest = nodes.length - NAMES_SHOWN;
    const row = make("p", { class: "names" }, ...nodes.slice(0, NAMES_SHOWN).map((node) => this.link(node)));
    if (rest > 0) row.append(` and ${commas(rest)} more`);
    return [make("h3", {}, `${title} `, make("b", {}, commas(nodes.length))), row];
  }

  truth(node) {
    const { screen } = this;
    const presence = ["not started yet", "up", "leaving", "left", "down"][screen.presence[node]];
    const held = ["paused", "blocked", "slow", "wrong clock"].filter((_, k) => screen.conditions[node * 4 + k]);
    return [presence, ...held].join(", ");
  }

  details(node) {
    const { screen } = this;
    const others = screen.others(node), zone = this.zone(node);
    const facts = make("dl", { class: "facts" },
      make("div", {}, make("dt", {}, "in truth"), make("dd", {}, this.truth(node))),
      make("div", {}, make("dt", {}, "believed alive by"), make("dd", {}, `${commas(screen.alive[node])} of ${commas(others)}`)),
    );
    if (zone) facts.prepend(make("div", {}, make("dt", {}, "zone"), make("dd", {}, zone)));
    const close = make("button", { type: "button", class: "plain", onclick: () => this.choose(-1) }, "all nodes' view");
    const parts = [
      make("div", { class: "bar" }, make("h2", {}, nameOf(node)), close), facts,
      ...this.names("suspected by", screen.believers(node, SUSPECT)),
      ...this.names("failed in the view of", screen.believers(node, FAILED)),
      ...this.names("it suspects", screen.believes(node, SUSPECT)),
      ...this.names("it holds failed", screen.believes(node, FAILED)),
      ...this.names("it knows to have left", screen.believes(node, LEFT)),
    ];
    const unknown = screen.believes(node, UNKNOWN).length;
    if (unknown) parts.push(make("p", { class: "note" }, `It does not know ${commas(unknown)} of the others.`));
    if (!screen.up[node]) parts.push(make("p", { class: "note" }, screen.presence[node] === ABSENT ? "It believes nothing yet." : "The grid shows what it believed last."));
    return parts;
  }

  overview() {
    const { screen } = this;
    const doubted = [];
    for (let k = 0; k < screen.n; k++) {
      const others = screen.others(k);
      if (others > 0 && screen.presence[k] !== ABSENT && screen.alive[k] < others) doubted.push(k);
    }
    const share = (k) => doubters(screen, k) / screen.others(k);
    const least = doubted.sort((a, b) => share(b) - share(a) || a - b).slice(0, 8);
    const rows = least.map((k) => make("li", {}, this.link(k), make("span", {}, `${commas(screen.alive[k])} of ${commas(screen.others(k))}`), make("em", {}, this.truth(k))));
    const parts = [make("h2", {}, "Least believed alive")];
    if (rows.length) parts.push(make("ol", { class: "least" }, ...rows));
    const more = doubted.length - least.length;
    parts.push(make("p", { class: "note" }, rows.length ? (more > 0 ? `and ${commas(more)} more` : "Everybody else is believed alive by all.") : "Everybody is believed alive by all. Choose a node to see what it believes."));
    return parts;
  }
}

class EventList {
  constructor(list, chips, head, go, light) {
    Object.assign(this, { list, head, go });
    this.off = new Set();
    this.rows = head.events.map((event, k) => {
      const button = make("button", { type: "button", class: `event ${event.kind}${event.mistaken ? " mistaken" : ""}`, onclick: () => go(k) },
        make("time", {}, seconds(event.at)), make("i", { "aria-hidden": "true" }), make("span", {}, event.text));
      button.addEventListener("mouseenter", () => light(event.nodes));
      button.addEventListener("mouseleave", () => light([]));
      return make("li", {}, button);
    });
    list.style.setProperty("--digits", seconds(head.end).length);
    list.append(...this.rows);
    if (!this.rows.length) list.append(make("li", { class: "note" }, "Nothing happens in this run."));
    for (const [key, text, kinds] of KINDS) {
      const count = head.events.filter((event) => kinds.includes(event.kind)).length;
      if (count) chips.append(make("button", { type: "button", "aria-pressed": "true", title: `Show or hide: ${text}`, onclick: (e) => this.toggle(e.currentTarget, kinds) }, text));
    }
    this.current = -1;
  }

  toggle(chip, kinds) {
    const on = chip.getAttribute("aria-pressed") !== "true";
    chip.setAttribute("aria-pressed", String(on));
    for (const kind of kinds) if (on) this.off.delete(kind); else this.off.add(kind);
    this.rows.forEach((row, k) => (row.hidden = this.isOff(k)));
  }

  isOff(k) {
    return this.off.has(this.head.events[k].kind);
  }

  // The next listed event after a moment, or the last one before it; -1 where there is none.
  next(time) {
    return this.head.events.findIndex((event, k) => event.at > time && !this.isOff(k));
  }

  previous(time) {
    return this.head.events.findLastIndex((event, k) => event.at < time && !this.isOff(k));
  }

  // Marks the last event up to a moment, and brings it into sight.
  draw(time) {
    const now = this.head.events.findLastIndex((event, k) => event.at <= time && !this.isOff(k));
    if (now === this.current) return;
    this.rows[this.current]?.firstChild.removeAttribute("aria-current");
    this.current = now;
    const row = this.rows[now];
    if (!row) return void (this.list.scrollTop = 0);
    row.firstChild.setAttribute("aria-current", "true");
    const top = row.offsetTop, { scrollTop, clientHeight } = this.list;
    if (top < scrollTop + 30 || top > scrollTop + clientHeight - 70) this.list.scrollTop = top - clientHeight / 2;
  }
}
