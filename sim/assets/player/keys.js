// Mouse, keys and the address; then it begins.

function listen(player) {
  const on = (id, name, act) => byId(id).addEventListener(name, act);
  const toggle = () => (player.playing ? player.pause() : player.play());
  on("play", "click", toggle);
  on("back", "click", () => player.previousEvent());
  on("on", "click", () => player.nextEvent());
  on("speed", "change", (e) => player.setSpeed(Number(e.target.value)));
  const help = () => {
    byId("keys").hidden = !byId("keys").hidden;
    byId("help").setAttribute("aria-expanded", String(!byId("keys").hidden));
  };
  on("help", "click", help);
  const zoom = (factor, around = player.time) => {
    player.timeline.zoom(factor, around);
    player.wake();
  };
  on("in", "click", () => zoom(0.5));
  on("out", "click", () => zoom(2));
  on("whole", "click", () => zoom(Infinity));
  listenToGrid(player);
  listenToTimeline(player, zoom);
  on("find", "submit", (e) => {
    e.preventDefault();
    find(player);
  });
  on("wanted", "input", () => (byId("found").textContent = ""));
  document.addEventListener("keydown", (e) => key(player, e, { toggle, help }));
}

function find(player) {
  const digits = /^\s*(?:node-)?(\d+)\s*$/.exec(byId("wanted").value);
  const node = digits ? Number(digits[1]) : -1;
  if (node >= 0 && node < player.head.nodes) {
    byId("found").textContent = "";
    player.choose(node);
    return player.say(`${nameOf(node)} is chosen`);
  }
  byId("found").textContent = `There are node-0 to node-${player.head.nodes - 1}.`;
}

function key(player, e, { toggle, help }) {
  const typing = e.target.matches("input, select, textarea");
  if (e.ctrlKey || e.metaKey || (typing && e.key !== "Escape")) return;
  // A button does what it says when space or enter is pressed on it.
  const pressing = e.target.matches("button") && (e.key === " " || e.key === "Enter");
  if (pressing) return;
  const inGrid = e.target === byId("grid");
  const step = e.altKey ? 1e5 : e.shiftKey ? 1e7 : 1e6;
  const keys = {
    " ": toggle,
    n: () => player.nextEvent(),
    p: () => player.previousEvent(),
    ArrowLeft: () => player.seek(player.time - step),
    ArrowRight: () => player.seek(player.time + step),
    Home: () => player.seek(0),
    End: () => player.seek(player.end),
    "-": () => player.faster(-1),
    "+": () => player.faster(1),
    "=": () => player.faster(1),
    "/": () => byId("wanted").select(),
    "?": help,
    Escape: () => {
      if (typing) e.target.blur();
      player.light([]);
      player.choose(-1);
    },
  };
  const act = (inGrid && gridKey(player, e.key)) || keys[e.key];
  if (!act) return;
  e.preventDefault();
  act();
}

function gridKey(player, key) {
  const { grid } = player;
  const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  if (move) {
    return () => {
      grid.cursor = grid.next(grid.cursor, ...move);
      player.say(tipText(player, grid.cursor));
      player.wake();
    };
  }
  return key === "Enter" && grid.cursor >= 0 ? () => player.choose(grid.cursor === player.chosen ? -1 : grid.cursor) : null;
}

function tipText(player, node) {
  const { screen, panel, chosen } = player;
  const parts = [`${nameOf(node)}: ${panel.truth(node)}`, `believed alive by ${commas(screen.alive[node])} of ${commas(screen.others(node))}`];
  if (screen.suspected[node]) parts.push(`suspected by ${commas(screen.suspected[node])}`);
  if (screen.failed[node]) parts.push(`failed in the view of ${commas(screen.failed[node])}`);
  if (chosen >= 0 && chosen !== node) parts.push(`to ${nameOf(chosen)}: ${VIEW_TEXT[screen.view(chosen, node)]}`);
  return parts.join("\n");
}

// Puts a tip beside a place of a box, inside it.
function showTip(tip, text, x, y, box) {
  tip.hidden = false;
  tip.textContent = text;
  const width = tip.offsetWidth, height = tip.offsetHeight;
  tip.style.left = `${x + 14 + width > box.width ? Math.max(0, x - width - 10) : x + 14}px`;
  tip.style.top = `${y + 18 + height > box.height ? Math.max(-height - 4, y - height - 8) : y + 18}px`;
}

function listenToGrid(player) {
  const canvas = byId("grid"), tip = byId("tip");
  const nodeAt = (e) => {
    const box = canvas.getBoundingClientRect();
    return player.grid.hit(e.clientX - box.left, e.clientY - box.top);
  };
  canvas.addEventListener("pointermove", (e) => {
    const node = nodeAt(e), box = byId("field").getBoundingClientRect();
    if (node < 0) return void (tip.hidden = true);
    showTip(tip, tipText(player, node), e.clientX - box.left, e.clientY - box.top, box);
  });
  canvas.addEventListener("pointerleave", () => (tip.hidden = true));
  canvas.addEventListener("click", (e) => {
    const node = nodeAt(e);
    player.choose(node === player.chosen ? -1 : node);
  });
  canvas.addEventListener("blur", () => {
    if (player.grid.cursor === player.chosen) return;
    player.grid.cursor = player.chosen;
    player.wake();
  });
}

function listenToTimeline(player, zoom) {
  const canvas = byId("timeline"), tip = byId("mark");
  let dragging = false;
  const place = (e) => {
    const box = canvas.getBoundingClientRect();
    return { x: e.clientX - box.left, y: e.clientY - box.top, box };
  };
  canvas.addEventListener("pointerdown", (e) => {
    dragging = true;
    canvas.setPointerCapture(e.pointerId);
    player.light([]);
    player.seek(player.timeline.time(place(e).x));
  });
  canvas.addEventListener("pointermove", (e) => {
    const { x, y, box } = place(e), time = player.timeline.time(x);
    if (dragging) player.seek(time);
    const fault = dragging ? null : player.timeline.barAt(x, y);
    player.light(fault ? fault.nodes.flatMap(([first, count]) => Array.from({ length: count }, (_, k) => first + k)) : []);
    const until = fault && fault.until !== null ? ` to ${seconds(fault.until)}` : "";
    const text = fault ? `${fault.title}\n${seconds(fault.at)}${until}, ${commas(player.grid.lit.size)} nodes` : seconds(time);
    showTip(tip, text, x, y, box);
  });
  const stop = () => (dragging = false);
  canvas.addEventListener("pointerup", stop);
  canvas.addEventListener("pointercancel", stop);
  canvas.addEventListener("pointerleave", () => {
    tip.hidden = true;
    if (!dragging) player.light([]);
  });
  canvas.addEventListener("wheel", (e) => {
    e.preventDefault();
    const { timeline } = player;
    if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) {
      const length = timeline.to - timeline.from;
      timeline.show(timeline.from + Math.sign(e.deltaX || e.deltaY) * length * 0.1, length);
      player.wake();
    } else {
      zoom(e.deltaY < 0 ? 0.8 : 1.25, timeline.time(place(e).x));
    }
  }, { passive: false });
  canvas.addEventListener("dblclick", () => zoom(Infinity));
}

// The moment and the node that the address asks for: #t=31.2&node=17
function begin(player) {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const time = Number(wanted.get("t") ?? NaN), node = Number((wanted.get("node") ?? "none").replace("node-", ""));
  const first = player.head.events.find((event) => event.at > 0);
  player.choose(Number.isInteger(node) && node >= 0 && node < player.head.nodes ? node : -1);
  // A moment before anything happens, where nothing else is asked for.
  player.seek(Number.isFinite(time) ? time * 1e6 : first ? first.at - 1e6 : 0);
  if (SPEEDS.includes(Number(wanted.get("speed")))) player.setSpeed(Number(wanted.get("speed")));
}

const head = JSON.parse(byId("head").textContent);
const player = new Player(head, decode(head, bytesOf(byId("film").textContent)));
listen(player);
begin(player);
window.player = player;
