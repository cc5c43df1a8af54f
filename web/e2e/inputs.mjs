// A live server: a sound file, the microphone (Chromium's own beeps), a recording; then the pictures that the server draws.
// node inputs.mjs URL FOLDER SOUND-FILE
import { join } from "node:path";
import { inBrowser, mouthMovement, opened, shoot } from "./browser.mjs";

const [url, out, sound] = process.argv.slice(2);
const status = (page, wanted, timeout = 60_000) =>
  page.waitForFunction((text) => document.querySelector("#status").textContent.startsWith(text), wanted, { timeout });

const results = await inBrowser(async (page) => {
  await opened(page, `${url}?draw=here`);
  await status(page, "ready");
  await page.click("#record");
  await page.setInputFiles("#file", sound);
  await status(page, "speaking");
  const heard = await page.evaluate(() => window.locutor.speaker.level(0.5));
  await page.waitForTimeout(1500);
  const download = page.waitForEvent("download");
  await page.click("#record");
  const recording = join(out, (await download).suggestedFilename());
  await (await download).saveAs(recording);
  await page.click("#stop");
  await status(page, "ready");

  await page.click("#mic");
  await status(page, "speaking");
  await page.click("#mic");
  const notice = await page.locator("#notice").innerText();
  await page.keyboard.press("Escape");

  await opened(page, url); // Chromium draws in software here: the server is asked
  await status(page, "ready");
  await page.fill("#text", "This picture comes from the server, as the browser cannot draw it. How do I look?");
  await page.click("#say");
  await status(page, "speaking");
  const drawnByServer = await mouthMovement(page, 3);
  await shoot(page, out, "live_server_drawn");
  await page.keyboard.press("Escape");
  await status(page, "ready");
  const asked = await page.evaluate(() => !("avatar" in window.locutor.view));
  await page.locator('input[name="mouth_open"]').fill("3");
  await page.waitForTimeout(1500);
  await shoot(page, out, "live_server_drawn_open");
  return { heard, recording, notice, drawnByServer, asked };
}, { acceptDownloads: true });
console.log(JSON.stringify(results));
