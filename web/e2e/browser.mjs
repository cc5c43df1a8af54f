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
