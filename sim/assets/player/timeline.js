// What happened when: faults, events, and curves over the whole run, with the moment that is shown.

const BINS = 16384;
const EVENT_RANK = { "fault-begins": 0, "fault-ends": 0, down: 1, leaves: 1, starts: 1, suspected: 2, failed: 3, known: 4, cleared: 4, agreed: 4 };

// The most of each figure in each of many short times; false positives: the last.
class Curves {
  constructor(end) {
    this.end = Math.max(end, 1);
    this.bin = -1;
    this.of = [new Float64Array(BINS), new Float64Array(BINS), new Float64Array(BINS)];
    this.last = [0, 0, 0];
  }

  at(time) {
    return Math.min(BINS - 1, Math.floor(time / this.end * BINS));
  }

  // Bins up to this one that nothing was said of have what stood before them.
  reach(bin) {
    while (this.bin < bin) {
      this.bin += 1;
      this.of.forEach((curve, k) => (curve[this.bin] = this.last[k]));
    }
  }

  add(time, totals) {
    const bin = this.at(time);
    this.reach(bin);
    this.last[0] = totals[N_WRONG];
    this.last[1] = totals[N_SUSPECTED];
    this.last[2] = totals[N_FALSE];
    this.of.forEach((curve, k) => (curve[bin] = Math.max(curve[bin], this.last[k])));
  }
}

class Timeline {
  constructor(canvas, head, curves) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d", { alpha: false });
    this.still = document.createElement("canvas");
    this.head = head;
    this.end = Math.max(head.end, 1);
    this.from = 0;
    this.to = this.end;
    this.theme = makeTheme();
    this.gutter = 118;
    const step = head.traffic.step * 1e6, rates = head.traffic.rates;
    this.lanes = [
      { name: "wrong views", of: (k) => curves.of[0][k], log: true },
      { name: "suspected", of: (k) => curves.of[1][k], log: true },
      { name: "false positives", of: (k) => curves.of[2][k], log: false },
      { name: "bytes / node s", of: (k) => rates[Math.min(rates.length - 1, Math.ceil((k + 0.5) / BINS * this.end / step))] ?? 0, log: false },
    ];
    for (const lane of this.lanes) {
      lane.max = 0;
      for (let k = 0; k < BINS; k++) lane.max = Math.max(lane.max, lane.of(k));
    }
    this.lanes = this.lanes.filter((lane, k) => k < 2 || lane.max > 0);
    this.bars = [];
  }

  x(time) {
    return this.gutter + (time - this.from) / (this.to - this.from) * this.room;
  }

  time(x) {
    const share = (x - this.gutter) / this.room;
    return Math.min(this.end, Math.max(0, this.from + share * (this.to - this.from)));
  }

  // Shows a part of the time: `factor` of what is shown now, around a moment that stays where it is.
  zoom(factor, around) {
    const length = Math.min(this.end, Math.max(this.end / 400, (this.to - this.from) * factor));
    const share = (around - this.from) / (this.to - this.from);
    this.show(around - share * length, length);
  }

  show(from, length) {
    this.from = Math.min(Math.max(0, from), this.end - length);
    this.to = this.from + length;
    this.stale = true;
  }

  // A moment that is not shown comes into sight.
  follow(time) {
    const length = this.to - this.from;
    if (time < this.from || time > this.to) this.show(time - length * 0.1, length);
  }

  resize(width) {
    this.width = width;
    this.room = width - this.gutter - 10;
    this.laneHeight = 30;
    this.place();
    this.top = 4 + this.rows * 17;
    this.height = this.top + 14 + this.lanes.length * (this.laneHeight + 5) + 18;
    if (fit(this.canvas, width, this.height)) this.stale = true;
  }

  // Rows for the bars of faults, with room for their titles where there is any.
  place() {
    const { ctx } = this;
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.font = `11px ${FONT}`;
    const ends = [], known = new Set();
    this.bars = this.head.faults.map((fault, k) => {
      const x = this.x(fault.at), end = fault.until === null ? x + 8 : Math.max(x + 2, this.x(fault.until));
      const text = ctx.measureText(fault.title).width + 8;
      const inside = end - x > ctx.measureText(shortTitle(fault)).width + 10;
      // One that comes again has its title once.
      const wants = inside || (!known.has(fault.fault) && end + text < this.width);
      const right = inside || !wants ? end : end + text;
      known.add(fault.fault);
      let row = ends.findIndex((last) => last < x), titled = wants;
      if (row < 0 && ends.length < 3) row = ends.push(-Infinity) - 1;
      if (row < 0) {
        row = 2;
        titled = false;
      }
      ends[row] = Math.max(ends[row], titled ? right + 6 : end);
      return { fault, x, end, row, inside, titled };
    });
    this.rows = Math.max(1, ends.length);
  }

  draw(now) {
    const { ctx, canvas, theme } = this;
    const scale = canvas.scale;
    if (this.stale) this.drawStill();
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.drawImage(this.still, 0, 0);
    ctx.setTransform(scale, 0, 0, scale, 0, 0);
    const x = this.x(now);
    if (x < this.gutter - 1 || x > this.width) return;
    ctx.fillStyle = theme.ring;
    ctx.fillRect(x - 0.75, 0, 1.5, this.height - 16);
    ctx.beginPath();
    ctx.moveTo(x - 5, 0);
    ctx.lineTo(x + 5, 0);
    ctx.lineTo(x, 7);
    ctx.fill();
  }

  drawStill() {
    this.stale = false;
    this.place();
    const { canvas, still, theme } = this;
    still.width = canvas.width;
    still.height = canvas.height;
    const ctx = still.getContext("2d", { alpha: false });
    ctx.scale(canvas.scale, canvas.scale);
    ctx.fillStyle = theme.paper;
    ctx.fillRect(0, 0, this.width, this.height);
    this.drawAxis(ctx);
    ctx.save();
    ctx.beginPath();
    ctx.rect(this.gutter - 6, 0, this.width, this.height);
    ctx.clip();
    this.bars.forEach((bar) => this.drawBar(ctx, bar));
    this.head.events.forEach((event) => this.drawEvent(ctx, event));
    ctx.restore();
    this.lanes.forEach((lane, k) => this.drawLane(ctx, lane, k));
    this.label(ctx, "faults", 4 + this.rows * 17 / 2);
    this.label(ctx, "events", this.top + 6);
  }

  label(ctx, text, y, soft = false) {
    ctx.font = `12px ${FONT}`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    ctx.fillStyle = soft ? this.theme.soft : this.theme.ink;
    ctx.fillText(text, 0, y, this.gutter - 12);
  }

  drawAxis(ctx) {
    const span = (this.to - this.from) / 1e6, wanted = span / Math.max(2, this.room / 110);
    const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600];
    const step = steps.find((s) => s >= wanted) ?? Math.ceil(wanted / 3600) * 3600;
    const digits = step < 0.1 ? 2 : step < 1 ? 1 : 0;
    ctx.font = `11px ${FONT}`;
    ctx.textBaseline = "alphabetic";
    for (let k = Math.ceil(this.from / 1e6 / step); k * step <= this.to / 1e6 + 1e-9; k++) {
      const x = this.x(k * step * 1e6);
      ctx.fillStyle = this.theme.faint;
      ctx.fillRect(Math.round(x), 0, 1, this.height - 15);
      ctx.fillStyle = this.theme.soft;
      ctx.textAlign = x > this.width - 24 ? "right" : "center";
      ctx.fillText(`${(k * step).toFixed(digits)} s`, x, this.height - 3);
    }
    ctx.textAlign = "left";
  }

  drawBar(ctx, { fault, x, end, row, inside, titled }) {
    const y = 3 + row * 17, colour = this.theme.faults[fault.fault % this.theme.faults.length];
    ctx.fillStyle = colour;
    if (fault.until === null) {
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(x + 6, y + 7);
      ctx.lineTo(x, y + 14);
      ctx.lineTo(x - 6, y + 7);
      ctx.fill();
    } else {
      box(ctx, x, y, end - x, 14, 3, colour);
    }
    if (!titled) return;
    ctx.font = `11px ${FONT}`;
    ctx.textBaseline = "middle";
    ctx.fillStyle = inside ? this.theme.paper : this.theme.ink;
    ctx.fillText(inside ? shortTitle(fault) : fault.title, (inside ? Math.max(x, this.gutter - 4) : end) + 4, y + 7.5);
  }

  drawEvent(ctx, event) {
    const x = this.x(event.at), y = this.top + 6, rank = EVENT_RANK[event.kind];
    ctx.fillStyle = eventColour(this.theme, event.kind);
    if (rank === 4) {
      ctx.beginPath();
      ctx.arc(x, y, 2.6, 0, 7);
      ctx.fill();
    } else {
      ctx.fillRect(x - 1, y - 5, 2, 10);
    }
  }

  drawLane(ctx, lane, k) {
    const { theme } = this;
    const top = this.top + 16 + k * (this.laneHeight + 5), base = top + this.laneHeight;
    const height = lane.log ? (v) => Math.log1p(v) / Math.log1p(Math.max(lane.max, 1)) : (v) => v / Math.max(lane.max, 1);
    ctx.fillStyle = theme.faint;
    ctx.fillRect(this.gutter, base, this.room, 1);
    ctx.fillStyle = theme.curves[["wrong views", "suspected", "false positives", "bytes / node s"].indexOf(lane.name)];
    const bins = BINS / this.end;
    for (let px = 0; px < this.room; px++) {
      const from = Math.floor(this.time(this.gutter + px) * bins);
      const to = Math.max(from + 1, Math.ceil(this.time(this.gutter + px + 1) * bins));
      let most = 0;
      for (let b = from; b < to && b < BINS; b++) most = Math.max(most, lane.of(b));
      if (most > 0) {
        const h = Math.max(1, height(most) * (this.laneHeight - 2));
        ctx.fillRect(this.gutter + px, base - h, 1.02, h);
      }
    }
    this.label(ctx, lane.name, top + 8);
    this.label(ctx, `up to ${brief(lane.max)}${lane.log ? ", log" : ""}`, top + 23, true);
  }

  // The fault whose bar is at this place, if one is.
  barAt(x, y) {
    return this.bars.find((bar) => y >= 2 + bar.row * 17 && y < 19 + bar.row * 17 && x >= bar.x - 7 && x <= bar.end + 4)?.fault ?? null;
  }
}

// Its name, or its kind where it has none.
const shortTitle = (fault) => fault.title.split(" (")[0];

function eventColour(theme, kind) {
  return [theme.faults[0], theme.soft, theme.curves[1], theme.curves[0], theme.curves[3]][EVENT_RANK[kind]];
}
