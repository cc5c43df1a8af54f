// Draws a PLY file with spark. node spark.mjs URL FOLDER
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inBrowser } from "./browser.mjs";

const [url, out] = process.argv.slice(2);
const results = await inBrowser(async (page) => {
  await page.goto(url);
  await page.waitForFunction(() => window.spark?.frames > 6, null, { timeout: 120_000 });
  await page.waitForTimeout(3000);
  const data = await page.evaluate(() => document.querySelector("canvas").toDataURL("image/png"));
  await writeFile(join(out, "spark.png"), Buffer.from(data.split(",")[1], "base64"));
  return page.evaluate(() => window.spark);
});
console.log(JSON.stringify(results));
