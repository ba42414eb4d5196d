/**
 * The two typefaces of the screens, brought along so that they look the same on every machine and offline.
 * Figures do not use them: a paper's figure names fonts that every program has (figures/style.ts).
 */
import '@fontsource-variable/inter/index.css';
import '@fontsource-variable/inter/wght-italic.css';
import '@fontsource-variable/jetbrains-mono/index.css';

/** Resolves once text can be drawn in them, so that nothing moves after the first picture; without them the system's fonts serve. */
export async function loadFonts({ fonts }: Pick<Document, 'fonts'>): Promise<void> {
  await Promise.allSettled(['1em "Inter Variable"', '1em "JetBrains Mono Variable"'].map((font) => fonts.load(font)));
}
