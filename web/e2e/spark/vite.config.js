import { defineConfig } from "vite";

export default defineConfig({ base: "./", build: { emptyOutDir: false, target: "es2022", chunkSizeWarningLimit: 10_000 } });
