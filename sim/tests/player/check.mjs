// What the player must do, in a real browser: check.mjs PAGE MOMENTS.json

import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import { browse, open } from "./browser.mjs";

// Bounds: a machine without a graphics processor that has other work as well still meets them.
const LOAD_MS = 15000, PAGE_BYTES = 4e6, FRAME_MS = 50, DRAW_MS = 12, SEEK_MS = 20;

const [file, momentsFile] = process.argv.slice(2);
const moments = JSON.parse(readFileSync(momentsFile, "utf8"));

const checks = {
  async "shows at each moment what the film has, whatever was shown before"(page) {
    const orders = [moments, [...moments].reverse(), moments.filter((_, k) => k % 3 === 1), moments.filter((_, k) => k % 3 === 0)];
    for (const moment of orders.flat()) {
      const seen = await page.evaluate((at) => {
        player.seek(at);
        const counts = player.figures(), { suspected, failed, present, alive } = player.screen;
        return { counts, suspected: [...suspected], failed: [...failed], present: [...present], alive: [...alive] };
      }, moment.at);
      const { counts, suspected, failed, present } = moment;
      const alive = present.map((count, node) => count - suspected[node]);
      assert.deepEqual(seen, { counts, suspected, failed, present, alive }, `at ${moment.at} us`);
    }
    assert(moments.some((moment) => moment.counts.suspected > 100) && moments.some((moment) => moment.counts.failed > 1000));
    return `${orders.flat().length} seeks`;
  },

  async "shows the view of a node that is clicked, or searched for"(page) {
    let compared = 0;
    for (const moment of moments.filter((_, k) => k % 4 === 2)) {
      await page.evaluate((at) => player.seek(at), moment.at);
      for (const { node, beliefs } of moment.observers.filter((_, k) => k % 5 === 0)) {
        await click(page, node);
        assert.equal(await page.evaluate("player.chosen"), node, "the clicked node is chosen");
        assert.deepEqual(await page.evaluate("player.beliefs()"), beliefs, `node-${node} at ${moment.at} us`);
        compared += 1;
      }
    }
    const { node, beliefs } = moments[8].observers.at(-1);
    await page.evaluate((at) => player.seek(at), moments[8].at);
    await page.fill("#wanted", ` node-${node}`);
    await page.press("#wanted", "Enter");
    assert.deepEqual(await page.evaluate("player.beliefs()"), beliefs);
    await frames(page);
    assert.equal(await page.textContent("#node h2"), `node-${node}`);
    assert.equal(await page.textContent("#seen"), `What node-${node} believes`);
    await page.fill("#wanted", "1000");
    await page.press("#wanted", "Enter");
    assert.equal(await page.textContent("#found"), "There are node-0 to node-999.");
    await page.press("#wanted", "Escape");
    assert.equal(await page.evaluate("player.chosen"), -1, "escape lets the node go");
    await page.evaluate("document.activeElement.blur()");
    return `${compared + 1} views`;
  },

  async "says who suspects a node, and who is believed least"(page) {
    const some = (count) => count > 20 && count < 980;
    const moment = moments.find((m) => m.suspected.some(some));
    const node = moment.suspected.findIndex(some);
    await page.evaluate((at) => player.seek(at), moment.at);
    await frames(page);
    assert(await page.locator("#node .least li").count() > 0, "somebody is believed least");
    await click(page, node);
    await frames(page);
    const heading = await page.locator("#node h3", { hasText: "suspected by" }).textContent();
    assert.equal(heading, `suspected by ${moment.suspected[node].toLocaleString("en-US")}`);
    await page.locator("#node .name").first().click();
    await frames(page);
    const other = await page.textContent("#node h2");
    assert(other.startsWith("node-") && other !== `node-${node}`, "a name leads to its node");
    await page.keyboard.press("Escape");
  },

  async "shows the same when it plays as when it is put there"(page) {
    const seen = await page.evaluate(async () => {
      const seen = [];
      player.seek(29e6);
      player.setSpeed(10);
      player.play();
      while (player.playing && player.time < 52e6) {
        await new Promise((done) => requestAnimationFrame(done));
        // What was drawn last, of the moment that was drawn.
        const t = player.screen.totals;
        seen.push([player.time, [...t], player.screen.alive.reduce((sum, alive) => sum + alive, 0)]);
      }
      player.pause();
      return seen;
    });
    const again = await page.evaluate((seen) => {
      const order = seen.map((_, k) => k).sort((a, b) => (a * 7919) % 101 - (b * 7919) % 101);
      return order.filter((k) => {
        player.seek(seen[k][0]);
        player.figures();
        const alive = player.screen.alive.reduce((sum, alive) => sum + alive, 0);
        return [...player.screen.totals].join() !== seen[k][1].join() || alive !== seen[k][2];
      });
    }, seen);
    assert.deepEqual(again, []);
    assert(seen.length > 20, `${seen.length} frames`);
    return `${seen.length} frames`;
  },

  async "plays smoothly"(page) {
    const said = [];
    for (const speed of [1, 10]) {
      const { gaps, draws } = await page.evaluate(async (speed) => {
        player.seek(29.5e6);
        player.setSpeed(speed);
        await new Promise((done) => requestAnimationFrame(done));
        player.stats.gaps.length = player.stats.draw.length = 0;
        player.play();
        await new Promise((done) => setTimeout(done, 4000));
        player.pause();
        return { gaps: player.stats.gaps.slice(1), draws: player.stats.draw.slice(1) };
      }, speed);
      const mean = (list) => list.reduce((sum, x) => sum + x, 0) / list.length;
      const worst = [...draws].sort((a, b) => a - b)[Math.floor(draws.length * 0.95)];
      said.push(`${speed}x: a frame every ${mean(gaps).toFixed(1)} ms, work ${mean(draws).toFixed(2)} ms, p95 ${worst.toFixed(2)} ms`);
      assert(gaps.length > 40 && mean(gaps) < FRAME_MS, said.at(-1));
      assert(mean(draws) < DRAW_MS, said.at(-1));
    }
    return said.join("; ");
  },

  async "finds any moment quickly"(page) {
    const times = await page.evaluate(() => {
      const times = [];
      for (let k = 0; k < 200; k++) {
        player.time = ((k * 7919) % 200) / 200 * player.end;
        const begin = performance.now();
        player.draw(begin);
        times.push(performance.now() - begin);
      }
      return times;
    });
    const mean = times.reduce((sum, x) => sum + x, 0) / times.length;
    assert(mean < SEEK_MS, `${mean} ms`);
    return `${mean.toFixed(2)} ms on average`;
  },

  async "jumps from event to event"(page) {
    const events = await page.evaluate("player.head.events.map((event) => event.at)");
    const times = [...new Set(events)].filter((at) => at > 0);
    await page.keyboard.press("Home");
    const jump = async (key) => {
      await page.keyboard.press(key);
      return page.evaluate("player.time");
    };
    for (const at of times) assert.equal(await jump("n"), at);
    assert.equal(await jump("n"), times.at(-1), "there is none after the last");
    for (const at of times.slice(0, -1).reverse()) assert.equal(await jump("p"), at);
    await page.locator("#kinds button", { hasText: "suspected" }).click();
    await page.keyboard.press("Home");
    const kinds = await page.evaluate("player.head.events.filter((event) => event.kind !== 'suspected').map((event) => event.at)");
    for (const at of [...new Set(kinds)].slice(0, 5)) assert.equal(await jump("n"), at, "what is not listed is not jumped to");
    await page.locator("#kinds button", { hasText: "suspected" }).click();
    const row = page.locator("#events button").nth(3);
    await row.click();
    assert.equal(await page.evaluate("player.time"), events[3]);
    await frames(page);
    assert.equal(await row.getAttribute("aria-current"), "true");
    await page.evaluate("player.seek(player.end)");
    await frames(page);
    const [inside, marked] = await page.evaluate(() => {
      const list = document.getElementById("events"), current = list.querySelector("[aria-current]");
      const [outer, inner] = [list.getBoundingClientRect(), current.getBoundingClientRect()];
      return [inner.top >= outer.top && inner.bottom <= outer.bottom + 1, current === list.lastElementChild.firstElementChild];
    });
    assert(inside && marked, "the last event is marked, and in sight");
    await row.click();
    await frames(page);
    assert.equal(await page.textContent("#last"), `${await row.locator("time").textContent()}: ${await row.locator("span").textContent()}`);
    return `${times.length} moments`;
  },

  async "obeys keys"(page) {
    await page.evaluate("document.activeElement.blur(); player.setSpeed(1); player.seek(50e6)");
    const after = async (key, what) => {
      await page.keyboard.press(key);
      return page.evaluate(what);
    };
    assert.equal(await after("ArrowRight", "player.time"), 51e6);
    assert.equal(await after("Shift+ArrowRight", "player.time"), 61e6);
    assert.equal(await after("Alt+ArrowLeft", "player.time"), 60.9e6);
    assert.equal(await after("End", "player.time"), 120e6);
    assert.equal(await after("Home", "player.time"), 0);
    assert.equal(await after("ArrowLeft", "player.time"), 0);
    assert.equal(await after("+", "player.speed"), 2);
    assert.equal(await after("-", "player.speed"), 1);
    assert.equal(await after(" ", "player.playing"), true);
    assert.equal(await page.getAttribute("#play", "aria-label"), "Pause");
    assert.equal(await after(" ", "player.playing"), false);
    assert.equal(await after("/", "document.activeElement.id"), "wanted");
    await page.keyboard.type("n 1");
    assert.equal(await page.inputValue("#wanted"), "n 1", "what is typed is no command");
    await page.keyboard.press("Escape");
    assert.equal(await after("?", "document.getElementById('keys').hidden"), false);
    await after("?", "0");
    await page.focus("#grid");
    await page.keyboard.press("ArrowRight");
    assert.equal(await after("ArrowRight", "player.grid.cursor"), 1);
    assert((await page.textContent("#said")).startsWith("node-1: up"), "the node under the cursor is told");
    assert.equal(await after("Enter", "player.chosen"), 1);
    assert.equal(await after("Escape", "player.chosen"), -1);
    await page.focus("#play");
    assert.equal(await after(" ", "player.playing"), true, "space on the button presses it once");
    await after(" ", "0");
    await page.focus("#timeline");
    await page.evaluate("player.seek(10e6)");
    assert.equal(await after("ArrowRight", "player.time"), 11e6);
    await frames(page);
    assert((await page.getAttribute("#timeline", "aria-valuetext")).startsWith("11.000 s: 1,000 up"));
  },

  async "obeys the mouse on the timeline"(page) {
    const box = await page.locator("#timeline").boundingBox();
    const x = (seconds) => page.evaluate((at) => player.timeline.x(at), seconds * 1e6);
    await page.mouse.move(box.x + await x(20), box.y + 60);
    await page.mouse.down();
    const near = async (seconds) => assert(Math.abs(await page.evaluate("player.time") / 1e6 - seconds) < 0.3);
    await near(20);
    await page.mouse.move(box.x + await x(90), box.y + 60, { steps: 5 });
    await near(90);
    await page.mouse.up();
    await page.mouse.move(box.x + await x(30), box.y + 60);
    await near(90);
    for (let k = 0; k < 8; k++) await page.mouse.wheel(0, -100);
    await frames(page);
    const [from, to] = await page.evaluate("[player.timeline.from, player.timeline.to]");
    assert(from > 0 && from < 30e6 && to > 30e6 && to < 60e6, `${from} to ${to}`);
    await page.click("#whole");
    assert.deepEqual(await page.evaluate("[player.timeline.from, player.timeline.to]"), [0, 120e6]);
  },

  async "names everything for those who do not see it"(page) {
    const nameless = await page.evaluate(() => {
      const all = [...document.querySelectorAll("button, input, select, canvas[tabindex]")];
      const labelled = (e) => e.getAttribute("aria-label") || e.textContent.trim() || (e.labels && e.labels.length);
      return all.filter((e) => !labelled(e)).map((e) => e.outerHTML);
    });
    assert.deepEqual(nameless, []);
    assert.match(await page.title(), /^lan-1000, seed 1$/);
    assert.match(await page.textContent("#origin"), /rumor-sim replay scenarios\/lan-1000.toml --seed 1 --html/);
  },
};

// Clicks the cell of a node.
async function click(page, node) {
  const box = await page.locator("#grid").boundingBox();
  const [x, y] = await page.evaluate((node) => {
    const { grid } = player, half = grid.size / 2;
    return [(grid.x[node] + half) / grid.canvas.scale, (grid.y[node] + half) / grid.canvas.scale];
  }, node);
  await page.mouse.click(box.x + x, box.y + y);
}

const frames = (page) => page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");

// In every width and scheme all is within the window, and the grid is painted.
async function looks(browser) {
  for (const [width, height, scheme, scale] of [[900, 700, "light", 1], [1280, 800, "dark", 2], [2560, 1300, "dark", 1]]) {
    const { page, troubles } = await open(browser, file, { width, height, scheme, scale, hash: "#t=35&node=node-37" });
    const seen = await page.evaluate(async () => {
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const { width, height } = player.grid.canvas;
      const pixels = player.grid.ctx.getImageData(0, 0, width, height).data;
      const colours = new Set();
      for (let k = 0; k < pixels.length; k += 4) colours.add(pixels[k] << 16 | pixels[k + 1] << 8 | pixels[k + 2]);
      const parts = ["grid", "timeline", "counts", "events", "node"].map((id) => document.getElementById(id).getBoundingClientRect());
      const outside = parts.filter((box) => box.right > innerWidth + 1 || box.bottom > innerHeight + 1 || box.width < 50 || box.height < 30);
      const { scrollWidth, scrollHeight } = document.documentElement;
      return {
        colours: colours.size, outside: outside.length, wide: scrollWidth > innerWidth, high: scrollHeight > innerHeight,
        dark: getComputedStyle(document.body).backgroundColor, chosen: player.chosen, time: player.time, cell: player.grid.size / player.grid.canvas.scale,
      };
    });
    const { colours, cell, ...rest } = seen;
    assert(colours > 3 && cell >= 10, `${colours} colours, cells of ${cell}`);
    const dark = scheme === "dark" ? "rgb(20, 24, 29)" : "rgb(255, 255, 255)";
    assert.deepEqual(rest, { outside: 0, wide: false, high: false, dark, chosen: 37, time: 35e6 }, `${width} x ${height}`);
    assert.deepEqual(troubles, []);
    await page.context().close();
  }
}

await browse(async (browser) => {
  const begin = performance.now();
  const { page, troubles, loaded } = await open(browser, file);
  const bytes = statSync(file).size, survey = await page.evaluate("player.stats.survey");
  console.log(`page of ${(bytes / 1e6).toFixed(2)} MB, loaded in ${loaded.toFixed(0)} ms, of which its own start ${survey.toFixed(0)} ms`);
  assert(bytes < PAGE_BYTES && loaded < LOAD_MS);
  for (const [name, check] of Object.entries(checks)) {
    const said = await check(page);
    assert.deepEqual(troubles, [], name);
    console.log(`ok: ${name}${said ? ` (${said})` : ""}`);
  }
  await page.context().close();
  await looks(browser);
  console.log("ok: fits from 900 to 2560 pixels, light and dark");
  console.log(`player: all held in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
});
