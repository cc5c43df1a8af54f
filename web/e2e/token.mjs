// A server that asks for a token: without it the page says so, with it it shows the avatar. node token.mjs URL TOKEN
import { inBrowser, opened } from "./browser.mjs";

const [url, token] = process.argv.slice(2);
const results = await inBrowser(async (page) => {
  await page.goto(url);
  await page.waitForSelector("#notice:not([hidden])");
  const without = await page.locator("#notice").innerText();
  await page.goto("about:blank");
  await opened(page, `${url}#token=${token}`);
  await page.waitForFunction(() => document.querySelector("#status").textContent.startsWith("ready"), null, { timeout: 60_000 });
  return { without };
});
console.log(JSON.stringify(results));
