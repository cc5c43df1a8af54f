/** Languages to speak a text in, as espeak-ng names its voices; the browser's own comes first. */
const VOICES: readonly (readonly [voice: string, name: string])[] = [
  ["en-us", "English (US)"], ["en-gb", "English (GB)"], ["cs", "Čeština"], ["da", "Dansk"], ["de", "Deutsch"], ["es", "Español"],
  ["es-419", "Español (América)"], ["fr-fr", "Français"], ["it", "Italiano"], ["hu", "Magyar"], ["nl", "Nederlands"],
  ["pl", "Polski"], ["pt-br", "Português (Brasil)"], ["pt", "Português"], ["ro", "Română"], ["fi", "Suomi"], ["sv", "Svenska"],
  ["tr", "Türkçe"], ["el", "Ελληνικά"], ["ru", "Русский"], ["uk", "Українська"], ["hi", "हिन्दी"], ["ja", "日本語"], ["cmn", "中文"],
];

const KEPT = "locutor.voice";

/** Fills the list and remembers the choice. */
export function offerVoices(list: HTMLSelectElement): void {
  list.replaceChildren(...VOICES.map(([voice, name]) => new Option(name, voice)));
  list.value = voiceFor([recall(), ...navigator.languages]);
  list.addEventListener("change", () => {
    try {
      localStorage.setItem(KEPT, list.value);
    } catch {
      // Private windows keep nothing.
    }
  });
}

/** The first wish for which there is a voice, by the whole name or by the language alone. */
export function voiceFor(wishes: readonly string[]): string {
  for (const wish of wishes.map((tag) => tag.toLowerCase())) {
    const language = wish.split("-")[0];
    const found = VOICES.find(([voice]) => voice === wish) ?? VOICES.find(([voice]) => voice.split("-")[0] === language);
    if (wish && found) return found[0];
  }
  return VOICES[0]![0];
}

function recall(): string {
  try {
    return localStorage.getItem(KEPT) ?? "";
  } catch {
    return "";
  }
}
