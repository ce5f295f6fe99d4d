// How things stand at one moment: all views, and counts of them that every change keeps up.

const N_UP = 0, N_SUSPECTED = 1, N_FAILED = 2, N_WRONG = 3, N_FALSE = 4;
// Memory for copies of the screen, so that no seek has far to go.
const COPY_BYTES_MAX = 64e6, COPIES_MAX = 96;
// Up to so many nodes there is one of the begin, too: to be born takes long where each is born with thousands.
const BEGIN_NODES_MAX = 12000;

class Screen {
  constructor(film) {
    const n = film.nodes;
    this.film = film;
    this.n = n;
    this.next = 0;
    this.views = new Uint8Array(n * n);
    this.presence = new Uint8Array(n);
    this.up = new Uint8Array(n);
    this.conditions = new Uint16Array(n * 4);
    // For each node, live observers of its group that see it alive; alive or suspected.
    this.alive = new Uint32Array(n);
    this.present = new Uint32Array(n);
    // For each node, live observers that suspect it; that hold it to be failed.
    this.suspected = new Uint32Array(n);
    this.failed = new Uint32Array(n);
    this.group = new Uint16Array(n);
    for (const [group, first, count] of film.groups) this.group.fill(group, first, first + count);
    this.live = new Uint32Array(this.group.reduce((most, g) => Math.max(most, g), 0) + 1);
    this.totals = new Float64Array(5);
    this.parts = ["views", "presence", "up", "conditions", "alive", "present", "suspected", "failed", "live", "totals"];
    // The first is the empty screen.
    this.copies = [{ next: 0 }];
  }

  copy() {
    const copy = { next: this.next };
    for (const part of this.parts) copy[part] = this[part].slice();
    return copy;
  }

  restore(copy) {
    this.next = copy.next;
    for (const part of this.parts) if (copy[part]) this[part].set(copy[part]); else this[part].fill(0);
  }

  // Goes through the whole film once, leaves copies along the way, and tells `see` how things stand after each moment.
  survey(see) {
    const { film, n } = this;
    const room = Math.min(COPIES_MAX, Math.floor(COPY_BYTES_MAX / (n * n + n * 30)));
    const work = film.items.length + film.heads.length;
    let done = 0, due = room > 0 ? work / room : Infinity;
    for (let k = 0; k < film.heads.length; k++) {
      this.apply(k);
      // What a moment is made of is not to be seen.
      if (film.times[k + 1] !== film.times[k]) see(film.times[k], this.totals);
      done += 1 + film.firsts[k + 1] - film.firsts[k];
      const begun = film.times[k] === 0 && film.times[k + 1] > 0 && n <= BEGIN_NODES_MAX;
      if (begun || done >= due) {
        this.next = k + 1;
        this.copies.push(this.copy());
        due = room > 0 ? work * Math.ceil(done / work * room + 0.5) / room : Infinity;
      }
    }
    this.next = film.heads.length;
  }

  // Goes to a moment, forwards from here or from the nearest copy before it.
  seek(time) {
    const target = upTo(this.film.times, time);
    let best = null;
    for (const copy of this.copies) if (copy.next <= target) best = copy;
    if (target < this.next || best.next > this.next) this.restore(best);
    while (this.next < target) this.apply(this.next++);
  }

  apply(k) {
    const { film } = this;
    const head = film.heads[k], code = head % 8, node = (head - code) / 8;
    const first = film.firsts[k], end = film.firsts[k + 1];
    if (code === VIEWS) {
      for (let i = first; i < end; i++) this.see(node, film.items[i] >>> 3, film.items[i] & 7);
    } else if (code === BORN) {
      this.born(node, first, end);
    } else if (code === GONE) {
      this.gone(node, film.items[first]);
    } else if (code === CONDITION) {
      this.conditions[node * 4 + (film.items[first] >> 1)] += film.items[first] & 1 ? 1 : -1;
    } else if (code === FALSE_POSITIVE) {
      this.totals[N_FALSE] += 1;
    }
  }

  see(observer, subject, view) {
    const at = observer * this.n + subject;
    const was = this.views[at];
    if (was === view || observer === subject) return;
    if (this.up[observer]) {
      this.count(observer, subject, was, -1);
      this.count(observer, subject, view, 1);
    }
    this.views[at] = view;
  }

  // A pair of a live observer counts, or counts no more.
  count(observer, subject, view, by) {
    const present = view === ALIVE || view === SUSPECT;
    const same = this.group[observer] === this.group[subject];
    if (present !== (same && this.up[subject] === 1)) this.totals[N_WRONG] += by;
    if (present && same) {
      this.present[subject] += by;
      if (view === ALIVE) this.alive[subject] += by;
    }
    if (view === SUSPECT) {
      this.suspected[subject] += by;
      this.totals[N_SUSPECTED] += by;
    } else if (view === FAILED) {
      this.failed[subject] += by;
      this.totals[N_FAILED] += by;
    }
  }

  countAll(observer, by) {
    const row = observer * this.n;
    for (let subject = 0; subject < this.n; subject++) {
      if (subject !== observer) this.count(observer, subject, this.views[row + subject], by);
    }
  }

  born(node, first, end) {
    const { items } = this.film;
    const row = node * this.n;
    if (this.up[node]) this.leave(node);
    this.views.fill(UNKNOWN, row, row + this.n);
    for (let i = first; i < end; i += 2) this.views.fill(ALIVE, row + items[i], row + items[i] + items[i + 1]);
    this.views[row + node] = UNKNOWN;
    this.setUp(node, 1);
    this.live[this.group[node]] += 1;
    this.countAll(node, 1);
    this.presence[node] = UP;
  }

  gone(node, presence) {
    if (this.up[node]) this.leave(node);
    this.presence[node] = presence;
  }

  leave(node) {
    this.live[this.group[node]] -= 1;
    this.countAll(node, -1);
    this.setUp(node, 0);
  }

  // Whoever saw the node rightly sees it wrongly now, and the other way round. Itself it never counts.
  setUp(node, up) {
    if (this.up[node] === up) return;
    const others = this.live[this.group[node]];
    const present = this.present[node], absent = others - present;
    this.totals[N_WRONG] += up ? absent - present : present - absent;
    this.totals[N_UP] += up ? 1 : -1;
    this.up[node] = up;
  }

  // Live observers of the node's group, itself apart.
  others(node) {
    return this.live[this.group[node]] - this.up[node];
  }

  view(observer, subject) {
    return this.views[observer * this.n + subject];
  }

  // Whether what the observer believes of the subject is wrong.
  isWrong(observer, subject) {
    const view = this.view(observer, subject);
    const should = this.up[subject] === 1 && this.group[observer] === this.group[subject];
    return (view === ALIVE || view === SUSPECT) !== should;
  }

  // Nodes of which an observer believes this; live observers that believe this of a node.
  believes(observer, view) {
    const found = [];
    for (let s = 0; s < this.n; s++) if (s !== observer && this.view(observer, s) === view) found.push(s);
    return found;
  }

  believers(subject, view) {
    const found = [];
    for (let o = 0; o < this.n; o++) if (o !== subject && this.up[o] && this.view(o, subject) === view) found.push(o);
    return found;
  }

  isWell(node) {
    const c = node * 4;
    return !(this.conditions[c] || this.conditions[c + 1] || this.conditions[c + 2] || this.conditions[c + 3]);
  }
}
