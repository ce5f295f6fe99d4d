// The nodes as cells, by zone. Only cells that look different from before are drawn again.

// Room for rings around the outermost cells.
const EDGE = 3;

class Grid {
  constructor(canvas, head, screen) {
    this.canvas = canvas;
    this.ctx = canvas.getContext("2d", { alpha: false });
    this.screen = screen;
    this.zones = head.zones.length ? head.zones : [{ name: "", first: 0, nodes: head.nodes }];
    this.n = head.nodes;
    this.x = new Int32Array(this.n);
    this.y = new Int32Array(this.n);
    // What stands in each cell: shade, mark, rings; and the number that is written in large ones.
    this.drawn = new Int32Array(this.n).fill(-1);
    this.written = new Int32Array(this.n).fill(-1);
    this.chosen = -1;
    this.cursor = -1;
    this.lit = new Set();
    this.theme = makeTheme();
  }

  // Gives cells their places in so many CSS pixels.
  resize(width, height) {
    const changed = fit(this.canvas, width, height);
    const scale = this.canvas.scale;
    const edge = Math.round(EDGE * scale);
    const plan = this.plan(width - 2 * EDGE, height - 2 * EDGE);
    this.pitch = Math.max(1, Math.floor(plan.pitch * scale));
    this.gap = Math.max(this.pitch > 3 ? 1 : 0, Math.min(Math.round(this.pitch * 0.09), Math.round(6 * scale)));
    this.size = this.pitch - this.gap;
    this.labels = [];
    const label = Math.round(plan.label * scale), space = Math.round(plan.space * scale);
    let [x, y, row] = [edge, edge, 0];
    this.zones.forEach((zone, k) => {
      if (k > 0 && k % plan.across === 0) {
        x = edge;
        y += row + space;
        row = 0;
      }
      if (label) this.labels.push({ zone, x, y });
      for (let i = 0; i < zone.nodes; i++) {
        this.x[zone.first + i] = x + (i % plan.columns) * this.pitch;
        this.y[zone.first + i] = y + label + Math.floor(i / plan.columns) * this.pitch;
      }
      row = Math.max(row, label + Math.ceil(zone.nodes / plan.columns) * this.pitch);
      x += Math.min(plan.columns, zone.nodes) * this.pitch + space;
    });
    this.labelSize = 13 * scale;
    this.font = Math.min(15, Math.max(9, plan.pitch * 0.185)) * scale;
    this.all = true;
    return changed;
  }

  // The arrangement with the largest cells: how many zones stand side by side, and how many cells are in a row of each.
  plan(width, height) {
    const zones = this.zones, label = zones.length > 1 || zones[0].name ? 22 : 0, space = zones.length > 1 ? 16 : 0;
    const most = Math.max(...zones.map((zone) => zone.nodes));
    let best = { pitch: 0, across: 1, columns: most, label, space };
    for (let across = 1; across <= zones.length; across++) {
      const down = Math.ceil(zones.length / across);
      const room = [(width - space * (across - 1)) / across, (height - (label * down + space * (down - 1))) / down];
      if (room[0] < 1 || room[1] < 1) continue;
      for (let columns = Math.max(1, Math.floor(Math.sqrt(most * room[0] / room[1])) - 2), tries = 0; tries < 6; tries++, columns++) {
        const c = Math.min(columns, most);
        const pitch = Math.min(room[0] / c, room[1] / Math.ceil(most / c), 132);
        // Of equal ones the widest.
        if (pitch >= best.pitch) best = { pitch, across, columns: c, label, space };
      }
    }
    return best;
  }

  // The node at a place in CSS pixels, or -1.
  hit(cssX, cssY) {
    const x = cssX * this.canvas.scale, y = cssY * this.canvas.scale;
    for (let k = 0; k < this.n; k++) {
      if (x >= this.x[k] && x < this.x[k] + this.pitch && y >= this.y[k] && y < this.y[k] + this.pitch) return k;
    }
    return -1;
  }

  // The nearest node in a direction.
  next(from, dx, dy) {
    if (from < 0) return 0;
    let best = from, least = Infinity;
    for (let k = 0; k < this.n; k++) {
      const ahead = (this.x[k] - this.x[from]) * dx + (this.y[k] - this.y[from]) * dy;
      const aside = Math.abs((this.x[k] - this.x[from]) * dy) + Math.abs((this.y[k] - this.y[from]) * dx);
      if (ahead > 0 && ahead + 3 * aside < least) {
        least = ahead + 3 * aside;
        best = k;
      }
    }
    return best;
  }

  shade(node) {
    const screen = this.screen;
    if (this.chosen < 0) return screen.presence[node] === ABSENT && !screen.present[node] ? NO_SHADE : shadeOf(screen, node);
    return node === this.chosen ? 0 : SHADE_OF_VIEW[screen.view(this.chosen, node)];
  }

  draw() {
    const { screen } = this;
    if (this.all) this.background();
    const large = this.size >= 60 * this.canvas.scale;
    const lit = this.lit.size > 0;
    const ringed = [];
    let painted = 0;
    for (let node = 0; node < this.n; node++) {
      const ring = (node === this.chosen ? 1 : 0) | (lit && this.lit.has(node) ? 2 : 0) | (node === this.cursor ? 4 : 0);
      const wrong = this.chosen >= 0 && node !== this.chosen && screen.isWrong(this.chosen, node) ? 1 : 0;
      const look = this.shade(node) | (markOf(screen, node) << 8) | (ring << 12) | (wrong << 16);
      if (ring) ringed.push(node);
      const number = large ? (this.chosen < 0 ? screen.alive[node] * 65536 + screen.others(node) : 0) : 0;
      if (this.drawn[node] === look && this.written[node] === number) continue;
      this.drawn[node] = look;
      this.written[node] = number;
      this.cell(node, look);
      painted += 1;
    }
    // A neighbour may have been painted over a ring.
    if (painted > 0) for (const node of ringed) this.cell(node, this.drawn[node]);
    this.all = false;
    return painted;
  }

  background() {
    const { ctx, theme } = this;
    ctx.fillStyle = theme.paper;
    ctx.fillRect(0, 0, this.canvas.width, this.canvas.height);
    ctx.textBaseline = "alphabetic";
    for (const { zone, x, y } of this.labels) {
      ctx.font = `600 ${this.labelSize}px ${FONT}`;
      ctx.fillStyle = theme.ink;
      ctx.fillText(zone.name, x, y + this.labelSize);
      const after = ctx.measureText(`${zone.name}  `).width;
      ctx.font = `${this.labelSize * 0.92}px ${FONT}`;
      ctx.fillStyle = theme.soft;
      ctx.fillText(`${commas(zone.nodes)} nodes`, x + after, y + this.labelSize);
    }
    this.drawn.fill(-1);
  }

  cell(node, look) {
    const { ctx, theme, size, gap } = this;
    const x = this.x[node], y = this.y[node];
    const shade = look & 255, mark = (look >> 8) & 15, ring = (look >> 12) & 15, wrong = look >> 16;
    ctx.fillStyle = theme.paper;
    ctx.fillRect(x - gap, y - gap, size + 2 * gap, size + 2 * gap);
    const radius = Math.min(size * 0.16, 6 * this.canvas.scale);
    if (shade === NO_SHADE) this.outline(x, y, radius);
    else box(ctx, x, y, size, size, radius, theme.shades[shade]);
    const over = shade === NO_SHADE ? theme.soft : theme.over[shade];
    const named = size >= 34 * this.canvas.scale;
    if (named) this.write(node, x, y, over);
    if (mark) {
      const room = named ? size * 0.5 : size;
      drawMark(ctx, mark, x + (size - room) / 2, named ? y + size - room - size * 0.06 : y, room, over);
    }
    if (wrong) this.underline(x, y, over);
    if (ring) this.ring(x, y, radius, ring);
  }

  outline(x, y, radius) {
    const { ctx, size } = this;
    const line = Math.max(1, Math.round(this.canvas.scale));
    ctx.strokeStyle = this.theme.line;
    ctx.lineWidth = line;
    ctx.beginPath();
    ctx.roundRect(x + line / 2, y + line / 2, size - line, size - line, radius);
    ctx.stroke();
  }

  // What the chosen node believes of this one is wrong.
  underline(x, y, colour) {
    const { ctx, size } = this;
    const high = Math.max(1, Math.round(size * 0.08)), inset = Math.round(size * 0.16);
    ctx.fillStyle = colour;
    ctx.fillRect(x + inset, y + size - high - Math.max(1, Math.round(size * 0.09)), size - 2 * inset, high);
  }

  write(node, x, y, colour) {
    const { ctx, size, screen } = this;
    const pad = size * 0.09;
    ctx.fillStyle = colour;
    ctx.textBaseline = "top";
    ctx.font = `600 ${this.font}px ${FONT}`;
    ctx.fillText(size < 64 * this.canvas.scale ? `${node}` : nameOf(node), x + pad, y + pad, size - 2 * pad);
    if (size < 60 * this.canvas.scale) return;
    ctx.font = `${this.font * 0.86}px ${FONT}`;
    const text = this.chosen < 0 ? `${screen.alive[node]} of ${screen.others(node)}` : node === this.chosen ? "this one" : VIEW_TEXT[screen.view(this.chosen, node)];
    ctx.fillText(text, x + pad, y + pad + this.font * 1.25, size - 2 * pad);
  }

  ring(x, y, radius, ring) {
    const { ctx, size, gap, theme } = this;
    const line = Math.max(1, Math.min(gap + 1, Math.round(size * 0.14), Math.round(3 * this.canvas.scale)));
    ctx.strokeStyle = ring & 2 ? theme.hint : theme.ring;
    ctx.lineWidth = line;
    ctx.setLineDash(ring === 4 ? [size * 0.2, size * 0.14] : []);
    ctx.beginPath();
    ctx.roundRect(x - gap / 2 + line / 4, y - gap / 2 + line / 4, size + gap - line / 2, size + gap - line / 2, radius);
    ctx.stroke();
    ctx.setLineDash([]);
  }
}

const VIEW_TEXT = ["unknown", "alive", "suspected", "failed", "left"];
