/**
 * A new experiment being put together: which experiment, the steps on the way, and what the host says of what was chosen.
 * What was typed is setting-drafts.svelte.ts's. What can be set comes from the description; nothing of one experiment is known here.
 */
import type { Service } from '../../src-main/shared/contract.ts';
import type { ErrorRecord } from '../../src-main/shared/errors.ts';
import type {
  ExperimentDescription,
  ExperimentSpec,
  Finding,
  Json,
  ModelDescription,
  Parameter,
  Preview,
} from '../../src-main/shared/records.ts';
import type { KeptWizard } from './kept-wizard.ts';
import { PredictionForm } from './prediction-form.svelte.ts';
import { Request } from './request.svelte.ts';
import { SettingDrafts } from './setting-drafts.svelte.ts';

export const wizardSteps = ['Question', 'Model', 'Data', 'Settings', 'Prediction', 'Review'] as const;
export type WizardStep = (typeof wizardSteps)[number];

export class Wizard {
  readonly experiments = new Request<ExperimentDescription[]>();
  readonly model = new Request<ModelDescription>();
  readonly preview = new Request<Preview>();
  /** What is wrong with the data where no preview could be made of them. */
  readonly findings = new Request<Finding[]>();
  readonly start = new Request<{ run: string }>();
  /** What is expected of the run. */
  readonly prediction = new PredictionForm(
    () => this.preview.value?.sets.map(({ set, candidates }) => ({ set, options: candidates.length })) ?? [],
  );

  #experimentId = $state<string | null>(null);
  readonly #drafts = new SettingDrafts(() => this.experiment);
  #stepIndex = $state(0);
  /** Problems are shown once the user has tried to go on. */
  #checked = $state(false);
  /** Something was chosen or typed, or a step was gone, since it began. */
  #touched = $state(false);

  /** The chosen experiment, null until the host has said which there are. */
  readonly experiment = $derived(this.experiments.value?.find(({ id }) => id === this.#experimentId) ?? null);

  /**
   * The spec of what was chosen, or null. Up to the settings step a setting that cannot be read is left out, so that data can be
   * looked at meanwhile.
   */
  readonly spec = $derived.by((): ExperimentSpec | null => this.#drafts.spec(this.#stepIndex < wizardSteps.indexOf('Settings')));

  get step(): WizardStep {
    return wizardSteps[this.#stepIndex]!;
  }

  get stepIndex(): number {
    return this.#stepIndex;
  }

  get modelParameter(): Parameter | null {
    return this.#drafts.parameter('model');
  }

  get datasetParameter(): Parameter | null {
    return this.#drafts.parameter('dataset');
  }

  /** Where the data cannot be used because options share their first token: the setting that counts those once. */
  get collisionsParameter(): Parameter | null {
    if (this.preview.error?.code !== 'OptionsShareFirstToken') return null;
    return this.settings.find(({ name }) => name === 'collisions') ?? null;
  }

  /** Everything that the settings step asks for. */
  get settings(): Parameter[] {
    return this.#drafts.settings;
  }

  /** The id asked for by the address where the host has no such experiment. */
  get unknownExperiment(): string | null {
    return this.experiments.value !== null && this.experiment === null ? this.#experimentId : null;
  }

  draft(parameter: Parameter): string {
    return this.#drafts.draft(parameter);
  }

  /** The value a parameter has when it is left alone, with the chosen model. */
  standard(parameter: Parameter): Json | undefined {
    return this.#drafts.standard(parameter);
  }

  /** Leaves a parameter to its default again. */
  reset(parameter: Parameter): void {
    this.#drafts.reset(parameter);
    this.#touched = true;
    this.preview.clear();
  }

  setDraft(parameter: Parameter, text: string): void {
    this.#drafts.type(parameter, text);
    this.#touched = true;
    if (parameter.kind === 'model') this.model.clear();
    this.preview.clear();
  }

  /** Whether problems are shown: once the user has tried to go on. */
  get isChecked(): boolean {
    return this.#checked;
  }

  /** What is wrong with a setting, once the user has tried to go on: with what was typed, or what the host says of it. */
  problem(parameter: Parameter): string | null {
    if (!this.#checked) return null;
    return this.#drafts.problem(parameter) ?? (this.refused?.parameter === parameter ? this.refused.reason : null);
  }

  /** The setting that the host refused, where its error begins with a setting's name, and why. */
  get refused(): { parameter: Parameter; reason: string } | null {
    const [, name, reason] = /^([a-z_]+)\b:?\s*(.+)$/s.exec(this.preview.error?.message ?? '') ?? [];
    const parameter = this.settings.find((setting) => setting.name === name);
    return parameter === undefined || reason === undefined ? null : { parameter, reason };
  }

  /** What the host says against the spec, with a setting's label in place of its name. */
  get refusal(): ErrorRecord | null {
    const { error } = this.preview;
    return error !== null && this.refused !== null
      ? { ...error, message: `${this.refused.parameter.label}: ${this.refused.reason}` }
      : error;
  }

  /** Settings that must be changed before the run can start, as far as is known. */
  get troubled(): Parameter[] {
    return this.settings.filter((parameter) => this.problem(parameter) !== null);
  }

  /** A learning rate that suits adapters better, as a draft; null: nothing to say. */
  get adapterRate(): { parameter: Parameter; draft: string } | null {
    return this.#drafts.adapterRate;
  }

  /** What is to be kept until the run starts; null while nothing was done. */
  get kept(): KeptWizard | null {
    const { typed } = this.prediction;
    if (!this.#touched && typed.threshold === '' && typed.text === '') return null;
    return { drafts: this.#drafts.typed, step: this.#stepIndex, prediction: { ...typed } };
  }

  /** Goes on where an experiment was left. */
  resume(experiment: string, kept: KeptWizard): void {
    this.begin(experiment);
    this.#drafts.resume(kept.drafts);
    this.#stepIndex = Math.min(Math.max(0, kept.step), wizardSteps.length - 1);
    this.prediction.draft = kept.prediction;
    this.#touched = true;
  }

  /** Back to a setting that must be changed. */
  show(parameter: Parameter): void {
    const isSetting = this.settings.includes(parameter);
    if (isSetting) this.goTo(wizardSteps.indexOf('Settings'));
    this.#checked = isSetting;
  }

  /**
   * Begins with an experiment, and with the values of a spec where one is run again. What is expected of this run is not
   * taken from an earlier one.
   */
  begin(experiment: string, values: { [name: string]: Json | undefined } = {}): void {
    this.#experimentId = experiment;
    this.prediction.clear();
    this.#drafts.begin(values);
    this.#stepIndex = 0;
    this.#checked = false;
    this.#touched = false;
    this.model.clear();
    this.preview.clear();
    this.findings.clear();
    this.start.clear();
  }

  /** One step on if this one is in order. Returns whether it went on. */
  async next(service: Service): Promise<boolean> {
    this.#checked = true;
    if (!(await this.#inOrder(service))) return false;
    this.#checked = false;
    this.#touched = true;
    this.#stepIndex = Math.min(this.#stepIndex + 1, wizardSteps.length - 1);
    this.load(service);
    return true;
  }

  back(): void {
    this.goTo(this.#stepIndex - 1);
  }

  /** Back to a step that was passed. */
  goTo(index: number): void {
    if (index < 0 || index > this.#stepIndex) return;
    this.#stepIndex = index;
    this.#checked = false;
    this.#touched = true;
  }

  /** Asks the host for what the current step shows and does not have yet. */
  load(service: Service): void {
    if (this.experiments.value === null) void this.experiments.ask(() => service.experiments());
    if (this.step === 'Model' && this.model.value === null) void this.describeModel(service);
    if (this.step !== 'Question' && this.step !== 'Model' && this.preview.value === null) void this.askPreview(service);
  }

  async describeModel(service: Service): Promise<ModelDescription | null> {
    const parameter = this.modelParameter;
    if (parameter === null) return null;
    const path = this.draft(parameter).trim();
    if (path === '') {
      this.model.clear();
      return null;
    }
    return await this.model.ask(() => service.describeModel(path));
  }

  async askPreview(service: Service): Promise<Preview | null> {
    const spec = this.spec;
    if (spec === null) {
      this.preview.clear();
      return null;
    }
    this.findings.clear();
    const preview = await this.preview.ask(() => service.preview(spec));
    if (preview === null && this.preview.error !== null) void this.findings.ask(() => service.preflight(spec));
    if (preview !== null) this.#drafts.fill(preview.spec);
    return preview;
  }

  /** Stores and queues the run in a project (the one looked at last); returns its id, or null where the host refused. */
  async startRun(service: Service, project?: number): Promise<string | null> {
    const spec = this.preview.value?.spec ?? this.spec;
    if (spec === null) return null;
    const prediction = this.prediction.value;
    const plan = {
      ...(project === undefined ? {} : { project }),
      ...(prediction === null ? {} : { prediction: { ...prediction } }),
    };
    return (await this.start.ask(() => service.startRun(spec, plan)))?.run ?? null;
  }

  /** Whether what the step asks for is there and the host has nothing against it. */
  async #inOrder(service: Service): Promise<boolean> {
    if (this.experiment === null) return false;
    const { modelParameter, datasetParameter } = this;
    const isRead = (parameter: Parameter | null) => parameter === null || this.#drafts.problem(parameter) === null;
    const isPreviewed = async () => this.preview.value !== null || (await this.askPreview(service)) !== null;
    switch (this.step) {
      case 'Model':
        if (!isRead(modelParameter)) return false;
        return modelParameter === null || this.model.value !== null || (await this.describeModel(service)) !== null;
      case 'Data':
        return isRead(datasetParameter) && (await isPreviewed());
      case 'Settings':
        // The host sees more than the form: whether given batches fit the data, whether the model has the tensors
        return this.settings.every(isRead) && (await isPreviewed());
      case 'Prediction':
        // The options bound what can be predicted
        return (await isPreviewed()) && this.prediction.problem === null;
      default:
        return true;
    }
  }
}
