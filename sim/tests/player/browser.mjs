// A page in Debian's Chromium, without any network, and everything that it complains of.

import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { resolve } from "node:path";

const require = createRequire(`${resolve(process.env.PLAYER_TOOLS)}/playwright/`);
const { chromium } = require("playwright-core");

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
];

export async function browse(act) {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
  try {
    return await act(browser);
  } finally {
    await browser.close();
  }
}

// Opens the page in a window of its own; `troubles` grows by whatever goes wrong in it.
export async function open(browser, file, { width = 1400, height = 900, scheme = "light", scale = 1, hash = "" } = {}) {
  const context = await browser.newContext({
    offline: true, colorScheme: scheme, viewport: { width, height }, deviceScaleFactor: scale, reducedMotion: "no-preference",
  });
  const page = await context.newPage();
  const address = pathToFileURL(resolve(file)).href;
  const troubles = [];
  page.on("console", (message) => troubles.push(`console ${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => troubles.push(`error: ${error.message}`));
  page.on("request", (request) => {
    if (request.url().split("#")[0] !== address) troubles.push(`request: ${request.url()}`);
  });
  const begin = performance.now();
  await page.goto(address + hash);
  await page.waitForFunction("window.player !== undefined && player.stats.frames > 0");
  return { page, troubles, loaded: performance.now() - begin };
}
