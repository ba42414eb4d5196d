/**
 * The picture of each experiment that has one, by the experiment's id. Experiments without one are shown in words alone.
 */
import type { Component } from 'svelte';
import OcrDrawing from './OcrDrawing.svelte';

export const drawings: { [experiment: string]: Component } = { ocr: OcrDrawing };
