// A static export: parity pictures, playing with sound, sliders, screenshots. node static.mjs URL FOLDER FRAME...
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inBrowser, mouthMovement, opened, shoot } from "./browser.mjs";

const [url, out, ...frames] = process.argv.slice(2);
const results = await inBrowser(async (page) => {
  await opened(page, url);
  for (const k of frames.map(Number)) {
    const data = await page.evaluate((k) => window.locutor.view.snapshot(window.locutor.poses[k]), k);
    await writeFile(join(out, `browser_${k}.png`), Buffer.from(data.split(",")[1], "base64"));
  }
  const atRest = await mouthMovement(page, 2);
  await page.click("#play");
  const playing = await mouthMovement(page, 3);
  await shoot(page, out, "static");
  await page.click("#pause");
  await page.waitForFunction(() => document.querySelector("#status").textContent === "ready");
  const stopped = await mouthMovement(page, 2);
  const before = await page.evaluate(() => window.locutor.view.drawn);
  await page.focus("#view");
  for (let i = 0; i < 5; i++) await page.keyboard.press("ArrowRight");
  await page.waitForFunction((n) => window.locutor.view.drawn > n, before);
  await page.locator('input[name="mouth_open"]').fill("2.5");
  await page.waitForTimeout(1500);
  await shoot(page, out, "static_turned");
  const turn = await page.locator('input[name="turn"]').inputValue();
  return { atRest, playing, stopped, turn: Number(turn) };
});
console.log(JSON.stringify(results));
