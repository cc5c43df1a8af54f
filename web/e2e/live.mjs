// A live server: speaks a text, rests, is interrupted, comes back after a restart; screenshots. node live.mjs URL FOLDER
// Asks for the restart of the server with a line "restart" and goes on when it reads one.
import { createInterface } from "node:readline";
import { inBrowser, mouthMovement, opened, shoot } from "./browser.mjs";

const [url, out] = process.argv.slice(2);
const SENTENCE =
  "The quick brown fox jumps over the lazy dog, and five big whales may appear below the moving boat. " +
  "Peter and Mary bought more maps for five people, and above the river many birds fly home in the evening.";
const status = (page, wanted, timeout = 30_000) =>
  page.waitForFunction((text) => document.querySelector("#status").textContent.startsWith(text), wanted, { timeout });

const results = await inBrowser(async (page) => {
  await opened(page, `${url}?draw=here`);
  await status(page, "ready");
  const silent = await mouthMovement(page, 4);

  await page.fill("#text", SENTENCE);
  await page.press("#text", "Enter");
  await status(page, "speaking");
  const speaking = await mouthMovement(page, 4);
  const sound = await page.evaluate(() => window.locutor.speaker.level(0.3));
  await shoot(page, out, "live_speaking");

  await page.keyboard.press("Escape");
  const asked = Date.now();
  await status(page, "ready");
  const interrupted_ms = Date.now() - asked;
  const soundAfter = await page.evaluate(() => window.locutor.speaker.level(0.3));
  await page.waitForTimeout(500);
  const rested = await mouthMovement(page, 4);

  console.log("restart");
  await new Promise((resolve) => createInterface({ input: process.stdin }).once("line", resolve));
  await status(page, "ready", 60_000);
  await page.fill("#text", SENTENCE); // long enough that a browser of one picture a second cannot miss it
  await page.click("#say");
  await status(page, "speaking");
  const figures = await page.locator("#figures").innerText();
  await shoot(page, out, "live_back");
  return { silent, speaking, sound, interrupted_ms, soundAfter, rested, figures };
});
console.log(JSON.stringify(results));
process.exit(0);
