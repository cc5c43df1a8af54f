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

/** Where the middle of the mouth lies in the head frame, inter-ocular units (docs/conventions.md). */
const MOUTH = [0, 0.75, -0.3];

/**
 * How much the mouth's pixels differ from picture to picture (grey levels, mean over pixels, of the standard deviation
 * over `seconds`). The window follows the head, so that a movement of the head alone changes little.
 */
export function mouthMovement(page, seconds) {
  return page.evaluate(async ([seconds, MOUTH]) => {
    const view = document.querySelector("#view");
    const small = Object.assign(document.createElement("canvas"), { width: 48, height: 32 });
    const context = small.getContext("2d", { willReadFrequently: true });
    const centre = () => {
      const { shown, avatar } = window.locutor.view;
      if (!shown) return [view.width / 2, 0.6 * view.height]; // pictures of the server
      const { focal_px, cx, cy } = avatar.page.camera;
      const [w, x, y, z] = shown.head.wxyz;
      const rows = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
      ];
      const p = rows.map((row, i) => row.reduce((sum, value, j) => sum + value * MOUTH[j], shown.head.xyz[i]));
      return [cx + (focal_px * p[0]) / p[2], cy + (focal_px * p[1]) / p[2]];
    };
    const pictures = [];
    let drawn = -1;
    for (const end = performance.now() + 1000 * seconds; performance.now() < end || pictures.length < 4; ) {
      await new Promise((resolve) => requestAnimationFrame(() => queueMicrotask(resolve)));
      if (drawn === window.locutor.view.drawn && performance.now() < end) continue;
      drawn = window.locutor.view.drawn;
      const [x, y] = centre();
      const [width, height] = [0.26 * view.width, 0.17 * view.height];
      context.drawImage(view, x - width / 2, y - height / 2, width, height, 0, 0, 48, 32);
      pictures.push(context.getImageData(0, 0, 48, 32).data);
    }
    const n = pictures[0].length;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const values = pictures.map((picture) => picture[i]);
      const mean = values.reduce((a, b) => a + b) / values.length;
      sum += Math.sqrt(values.reduce((power, value) => power + (value - mean) ** 2, 0) / values.length);
    }
    return { deviation: sum / (0.75 * n), pictures: pictures.length };
  }, [seconds, MOUTH]);
}

/** Screenshots in light and dark, wide and as narrow as a phone. */
export async function shoot(page, folder, name) {
  const size = page.viewportSize();
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(300); // colours change over a moment
    await page.screenshot({ path: `${folder}/${name}_${colorScheme}.png` });
  }
  await page.setViewportSize({ width: 390, height: 844 });
  await page.screenshot({ path: `${folder}/${name}_phone.png` });
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme: "light" });
}
