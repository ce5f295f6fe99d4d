// Colours, marks and words.

const THEMES = {
  light: {
    paper: "#ffffff", ink: "#1b2430", soft: "#5b6775", faint: "#e4e9ee", line: "#c9d1d9",
    calm: "#c6dbec", ramp: ["#f6e3a1", "#f0b357", "#de7333", "#b02a30", "#5c0d2b"],
    left: "#9a93bd", ring: "#0b57d0", hint: "#1b2430",
    curves: ["#b02a30", "#c66f0c", "#5c0d2b", "#2b7a78"], faults: ["#54618f", "#7c6a3a", "#4f7d6b", "#86517f", "#6b6f76"],
  },
  dark: {
    paper: "#14181d", ink: "#dde3ea", soft: "#98a4b1", faint: "#242b33", line: "#3a444f",
    calm: "#2d4a63", ramp: ["#6d6136", "#a9762e", "#e08742", "#ff9d86", "#ffe1d6"],
    left: "#7d76a8", ring: "#8ab4f8", hint: "#ffffff",
    curves: ["#ff9d86", "#e3a13f", "#ffd3c8", "#6cc5c1"], faults: ["#8c9ad0", "#b3a067", "#7fb59f", "#bd86b5", "#9aa3ad"],
  },
};

const SHADES = 64;
const DARK = matchMedia("(prefers-color-scheme: dark)");

const rgb = (hex) => [1, 3, 5].map((k) => parseInt(hex.slice(k, k + 2), 16));
const css = (c) => `rgb(${c.map(Math.round).join(" ")})`;
// How bright a colour is, 0 to 1.
const lightness = (c) => (0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2]) / 255;

function between(stops, share) {
  const at = Math.min(share, 1) * (stops.length - 1), k = Math.min(Math.floor(at), stops.length - 2);
  return stops[k].map((c, i) => c + (stops[k + 1][i] - c) * (at - k));
}

// Where on the ramp it stands that this share of the others does not believe a node alive. One in a thousand is to be seen already.
const doubtShare = (doubt) => 0.1 + 0.9 * doubt ** 0.45;

// Shades by number: 0 is calm, 1 to SHADES the ramp of doubt, then those of views, then no colour at all.
const SHADE_OF_VIEW = [SHADES + 4, 0, SHADES + 1, SHADES + 2, SHADES + 3];
const NO_SHADE = SHADES + 4;

function makeTheme() {
  const theme = DARK.matches ? THEMES.dark : THEMES.light;
  const stops = theme.ramp.map(rgb);
  const shades = [rgb(theme.calm)];
  for (let k = 1; k <= SHADES; k++) shades.push(between(stops, (k - 1) / (SHADES - 1)));
  shades.push(between(stops, 0.28), between(stops, 0.82), rgb(theme.left), rgb(theme.paper));
  return { ...theme, shades: shades.map(css), over: shades.map((c) => (lightness(c) > 0.42 ? "#10161d" : "#ffffff")) };
}

// How many of the others do not believe a node alive; who suspects it counts half.
const doubters = (screen, node) => screen.others(node) - (screen.alive[node] + screen.present[node]) / 2;

function shadeOf(screen, node) {
  const others = screen.others(node), doubt = doubters(screen, node);
  if (others <= 0) return NO_SHADE;
  return doubt > 0 ? 1 + Math.round(doubtShare(doubt / others) * (SHADES - 1)) : 0;
}

// Marks say what is true of a node.
const MARKS = ["", "absent", "left", "leaving", "down", "paused", "blocked", "slow", "wrong clock"];
const MARK_TEXT = {
  absent: "It has not started yet", left: "It has left", leaving: "It is leaving", down: "It is down", paused: "Its process stands still",
  blocked: "It is cut off from its sockets", slow: "Its messages are late", "wrong clock": "Its clock is wrong",
};

function markOf(screen, node) {
  const presence = screen.presence[node];
  if (presence === DOWN) return 4;
  if (presence === LEAVING) return 3;
  if (presence === HAS_LEFT) return 2;
  if (presence === ABSENT) return 1;
  for (let k = 0; k < 4; k++) if (screen.conditions[node * 4 + k]) return 5 + k;
  return 0;
}

// Draws a mark into a square of this size at x, y.
function drawMark(ctx, mark, x, y, size, colour) {
  const c = size / 2, r = Math.max(2, size * 0.27);
  ctx.save();
  ctx.translate(x + c, y + c);
  ctx.strokeStyle = ctx.fillStyle = colour;
  ctx.lineWidth = Math.max(1, size * 0.1);
  ctx.lineCap = "round";
  ctx.beginPath();
  const stroke = (...points) => points.forEach(([px, py], k) => (k % 2 ? ctx.lineTo(px * r, py * r) : ctx.moveTo(px * r, py * r)));
  switch (MARKS[mark]) {
    case "down": stroke([-1, -1], [1, 1], [-1, 1], [1, -1]); break;
    case "left": stroke([-1, 0], [1, 0]); break;
    case "leaving": stroke([-1, 0], [1, 0], [1, 0], [0.3, -0.7], [1, 0], [0.3, 0.7]); break;
    case "paused": stroke([-0.5, -0.9], [-0.5, 0.9], [0.5, -0.9], [0.5, 0.9]); break;
    case "blocked": ctx.arc(0, 0, r, 0, 7); stroke([-0.65, 0.65], [0.65, -0.65]); break;
    case "slow": for (const k of [-1, 0, 1]) { ctx.moveTo(k * r, 0); ctx.arc(k * r, 0, ctx.lineWidth / 3, 0, 7); } break;
    case "wrong clock": ctx.arc(0, 0, r, 0, 7); stroke([0, -0.6], [0, 0], [0, 0], [0.5, 0]); break;
  }
  ctx.stroke();
  ctx.restore();
}

// Rounded box, filled.
function box(ctx, x, y, w, h, r, fill) {
  ctx.fillStyle = fill;
  if (r < 1) return ctx.fillRect(x, y, w, h);
  ctx.beginPath();
  ctx.roundRect(x, y, w, h, r);
  ctx.fill();
}

const FONT = 'system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif';
const nameOf = (node) => `node-${node}`;
const commas = (n) => n.toLocaleString("en-US");
const seconds = (micros, digits = 3) => `${(micros / 1e6).toFixed(digits)} s`;
// 12.3k, 4.1M: for axes and tiles.
function brief(n) {
  if (n < 10000) return commas(Math.round(n));
  return n < 1e6 ? `${+(n / 1e3).toPrecision(3)}k` : `${+(n / 1e6).toPrecision(3)}M`;
}
const byId = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// A canvas as large as its box on this display; whether its size changed.
function fit(canvas, width, height) {
  const scale = Math.min(window.devicePixelRatio || 1, 3);
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  if (canvas.width === w && canvas.height === h && canvas.scale === scale) return false;
  canvas.width = w;
  canvas.height = h;
  canvas.scale = scale;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  return true;
}
