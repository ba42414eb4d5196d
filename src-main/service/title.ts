/**
 * The names that a run is listed under, made from its spec. They identify nothing: the run's own name does.
 */
import type { ExperimentSpec, Json } from '../shared/records.ts';

/** `title` is, for example, `OCR · first-hop · small-world`. `named`: what the data set is called, where its spec does not say. */
export function titleOf(spec: ExperimentSpec, named?: string): { title: string; model: string; dataset: string } {
  const model = lastPart(spec.model);
  const dataset = named ?? datasetName(spec.dataset);
  return { title: [experimentName(spec.experiment), dataset, model].join(' · '), model, dataset };
}

/** `OCR`, `Layer freezing`. */
function experimentName(id: string): string {
  if (id === 'ocr') return 'OCR';
  const words = id.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function datasetName(dataset: Json | undefined): string {
  return typeof dataset === 'string' ? lastPart(dataset).replace(/\.(json|jsonl|csv|ya?ml)$/i, '') : 'inline data';
}

function lastPart(path: string): string {
  return path.split(/[/\\]/).findLast((part) => part !== '') ?? path;
}
