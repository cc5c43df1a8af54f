import { defineConfig } from "vite";

// Relative addresses, so that the page works under any path of any host; names without hashes of contents, so that a
// rebuild of the same sources gives the same files.
export default defineConfig({
  base: "./",
  build: {
    outDir: "../src/locutor/server/page",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    rollupOptions: {
      output: { entryFileNames: "page.js", chunkFileNames: "[name].js", assetFileNames: "[name][extname]" },
    },
  },
});
