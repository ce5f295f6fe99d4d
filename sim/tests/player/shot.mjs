// Takes pictures: shot.mjs PAGE OUT.png [width=1400] [height=900] [scheme=light] [hash=#t=31.2&node=17] [scale=1]

import { browse, open } from "./browser.mjs";

const [file, out, ...settings] = process.argv.slice(2);
const wanted = { width: 1400, height: 900, scheme: "light", hash: "", scale: 1 };
for (const setting of settings) {
  const [name, value] = [setting.slice(0, setting.indexOf("=")), setting.slice(setting.indexOf("=") + 1)];
  if (!(name in wanted)) throw new Error(`${name}: there are ${Object.keys(wanted).join(", ")}`);
  wanted[name] = typeof wanted[name] === "number" ? Number(value) : value;
}
await browse(async (browser) => {
  const { page, troubles } = await open(browser, file, wanted);
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  await page.screenshot({ path: out });
  if (troubles.length) throw new Error(troubles.join("\n"));
});
