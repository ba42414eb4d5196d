/**
 * The settings of an experiment as they are typed: the text of each, what stands where nothing was typed, and the spec that they make.
 * Which step is shown and what the host is asked is wizard.svelte.ts's.
 */
import type { ExperimentDescription, ExperimentSpec, Json, Parameter } from '../../src-main/shared/records.ts';
import { draftOf, readDraft } from '../text/drafts.ts';
import { asNumber, recordOf } from '../text/json-draft.ts';

export class SettingDrafts {
  #experiment: () => ExperimentDescription | null;
  #typed = $state<{ [name: string]: string }>({});
  /** What the host fills in for settings that were left alone; it knows the model better than the description does. */
  #filled = $state.raw<{ [name: string]: Json | undefined }>({});

  constructor(experiment: () => ExperimentDescription | null) {
    this.#experiment = experiment;
  }

  /** What was typed, by name. */
  get typed(): { [name: string]: string } {
    return { ...this.#typed };
  }

  /** The first parameter of a kind of which an experiment has one. */
  parameter(kind: 'model' | 'dataset' | 'trainable'): Parameter | null {
    return this.#experiment()?.parameters.find((parameter) => parameter.kind === kind) ?? null;
  }

  /** Everything but model and data. */
  get settings(): Parameter[] {
    return this.#experiment()?.parameters.filter(({ kind }) => kind !== 'model' && kind !== 'dataset') ?? [];
  }

  draft(parameter: Parameter): string {
    return this.#typed[parameter.name] ?? draftOf(this.standard(parameter));
  }

  /** The value a parameter has when it is left alone, with the chosen model. */
  standard(parameter: Parameter): Json | undefined {
    const model = this.parameter('model');
    const ownDefault = this.#typed[model?.name ?? ''] ?? model?.default;
    const smallWorld = ownDefault === 'small-world' ? parameter.smallWorldDefault : undefined;
    return this.#filled[parameter.name] ?? smallWorld ?? parameter.default;
  }

  /** Begins anew, with the values of a spec where there is one. */
  begin(values: { [name: string]: Json | undefined }): void {
    this.resume(Object.fromEntries(Object.entries(values).map(([name, value]) => [name, draftOf(value)])));
  }

  /** Goes on from what was typed before. */
  resume(typed: { [name: string]: string }): void {
    this.#typed = { ...typed };
    this.#filled = {};
  }

  type(parameter: Parameter, text: string): void {
    this.#typed[parameter.name] = text;
    // Another model may have other defaults
    if (parameter.kind === 'model') this.#filled = {};
  }

  /** Leaves a parameter to its default again. */
  reset(parameter: Parameter): void {
    delete this.#typed[parameter.name];
  }

  /** Takes over what the host filled in for the settings that were left alone. */
  fill(spec: { [name: string]: Json | undefined }): void {
    const untouched = this.settings.filter(({ name }) => this.#typed[name] === undefined);
    this.#filled = Object.fromEntries(untouched.map(({ name }) => [name, spec[name]]));
  }

  /** What is wrong with what was typed, or null. */
  problem(parameter: Parameter): string | null {
    return readDraft(parameter, this.draft(parameter)).problem;
  }

  /**
   * Low-rank adapters usually want about five times the learning rate of full finetuning: that rate, as a draft, where adapters
   * train and the rate is still one for all weights; null: nothing to say.
   */
  get adapterRate(): { parameter: Parameter; draft: string } | null {
    const trainable = this.parameter('trainable');
    const parameter = this.settings.find(({ name }) => name === 'lr');
    if (trainable === null || parameter === undefined) return null;
    const trains = this.draft(trainable).trim();
    if (trains !== 'lora' && recordOf(trains)?.lora === undefined) return null;
    const standard = this.standard(parameter);
    const rate = asNumber(this.draft(parameter));
    if (typeof standard !== 'number' || typeof rate !== 'number' || rate >= 2 * standard) return null;
    return { parameter, draft: draftOf(Number((5 * standard).toPrecision(3))) };
  }

  /**
   * The spec of what was chosen; null while model or data are missing, or a setting cannot be read, which with `lenient` is left
   * out. Settings left alone are left out: the host fills them in.
   */
  spec(lenient: boolean): ExperimentSpec | null {
    const experiment = this.#experiment();
    if (experiment === null) return null;
    const values: { [name: string]: Json | undefined } = {};
    for (const parameter of experiment.parameters) {
      const reading = readDraft(parameter, this.draft(parameter));
      if (reading.problem !== null && !lenient) return null;
      const given = parameter.kind === 'model' || parameter.kind === 'dataset' || parameter.name in this.#typed;
      if (given && reading.value !== undefined) values[parameter.name] = reading.value;
    }
    const { model, dataset, ...rest } = values;
    if (typeof model !== 'string' || dataset === undefined) return null;
    return { experiment: experiment.id, model, dataset, ...rest };
  }
}
