import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";

const PAGE = "../src/locutor/server/page";
/** What the bundle is made of; tests/export/test_page.py reads the same. */
const SOURCES = ["index.html", "package-lock.json", "public", "src", "vite.config.ts"];

function files(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => files(join(path, name)));
}

/** Over names and contents, in the order of the names. */
function digest(paths: string[], root: string): string {
  const hash = createHash("sha256");
  for (const path of [...paths].sort()) hash.update(path).update("\0").update(readFileSync(join(root, path))).update("\0");
  return hash.digest("hex");
}

/** Writes down what the bundle was made of, so that a test without Node can say whether it is up to date. */
const witness = (): Plugin => ({
  name: "witness",
  closeBundle() {
    const made = files(PAGE).map((path) => path.slice(PAGE.length + 1)).filter((path) => path !== "made.json");
    const page = { sources: digest(SOURCES.flatMap(files), "."), bundle: digest(made, PAGE) };
    writeFileSync(join(PAGE, "made.json"), JSON.stringify(page, null, 1) + "\n");
  },
});

// Relative addresses, so that the page works under any path of any host; names without hashes of contents, so that a
// rebuild of the same sources gives the same files.
export default defineConfig({
  base: "./",
  plugins: [witness()],
  build: {
    outDir: PAGE,
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    rollupOptions: {
      output: { entryFileNames: "page.js", chunkFileNames: "[name].js", assetFileNames: "[name][extname]" },
    },
  },
});
