import { expect, test } from "vitest";
import { voiceFor } from "../src/ui/voices";

test.each([
  [["de-AT", "en"], "de"],
  [["fr-CA"], "fr-fr"],
  [["pt-BR"], "pt-br"],
  [["", "tlh", "it"], "it"],
  [["en"], "en-us"],
  [["en-GB"], "en-gb"],
  [[], "en-us"],
])("%j is spoken by %s", (wishes, voice) => {
  expect(voiceFor(wishes)).toBe(voice);
});
