/** The page asks its site what it is: a server that lives, or a folder of files. */
import { runLive } from "./app_live";
import { runStatic, type StaticSite } from "./app_static";
import type { Site } from "./protocol";
import { elements, showNotice, showStatus } from "./ui/elements";
import { Wishes } from "./ui/wishes";

async function site(): Promise<Site | StaticSite> {
  const response = await fetch("site.json", { cache: "no-cache" });
  if (!response.ok) throw new Error(`this address has no site.json (${response.status})`);
  return (await response.json()) as Site | StaticSite;
}

const page = elements();
const wishes = new Wishes(page);
try {
  const found = await site();
  const shown = found.kind === "static" ? await runStatic(page, wishes, found) : await runLive(page, wishes, found);
  // For tests, and for whoever embeds the page.
  Object.assign(window, { locutor: shown });
} catch (error) {
  showStatus(page, "stopped", "bad");
  showNotice(page, error instanceof Error ? error.message : String(error));
}
