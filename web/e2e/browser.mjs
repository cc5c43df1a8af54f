// Chromium without a screen, drawing in software.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
  "--disable-sync", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--autoplay-policy=no-user-gesture-required",
  "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
];

/** Runs `scenario(page, context)` in a fresh profile; whatever the page complains about goes to stderr. */
export async function inBrowser(scenario, options = {}) {
  const profile = await mkdtemp(join(tmpdir(), "locutor-e2e-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
    viewport: { width: 1100, height: 820 },
    ...options,
  });
  try {
    const page = context.pages()[0] ?? (await context.newPage());
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) console.error(`page: ${message.text()}`);
    });
    page.on("pageerror", (error) => console.error(`page: ${error}`));
    return await scenario(page, context);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** Opens the page and waits until it shows an avatar. */
export async function opened(page, url) {
  await page.goto(url);
  await page.waitForFunction(() => window.locutor?.view?.drawn > 0, null, { timeout: 60_000 });
}

/**
 * Mean change of the mouth's pixels from picture to picture (grey levels), over `seconds`. The lower middle of the
 * picture is where the mouth of a framed head is.
 */
export function mouthMovement(page, seconds) {
  return page.evaluate(async (seconds) => {
    const view = document.querySelector("#view");
    const small = Object.assign(document.createElement("canvas"), { width: 64, height: 48 });
    const context = small.getContext("2d", { willReadFrequently: true });
    const changes = [];
    let last;
    for (const end = performance.now() + 1000 * seconds; performance.now() < end; ) {
      // After the page has drawn.
      await new Promise((resolve) => requestAnimationFrame(() => queueMicrotask(resolve)));
      context.drawImage(view, view.width * 0.38, view.height * 0.5, view.width * 0.24, view.height * 0.18, 0, 0, 64, 48);
      const pixels = context.getImageData(0, 0, 64, 48).data;
      if (last) changes.push(pixels.reduce((sum, value, i) => sum + Math.abs(value - last[i]), 0) / (0.75 * pixels.length));
      last = pixels;
    }
    return { mean: changes.reduce((a, b) => a + b, 0) / Math.max(1, changes.length), pictures: changes.length };
  }, seconds);
}

/** Screenshots in light and dark, wide and as narrow as a phone. */
export async function shoot(page, folder, name) {
  const size = page.viewportSize();
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${folder}/${name}_${colorScheme}.png` });
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: `${folder}/${name}_phone.png` });
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: "light" });
}
