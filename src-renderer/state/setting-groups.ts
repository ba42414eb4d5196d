/**
 * The settings of an experiment in the groups in which a form shows them: what every training has, what is this experiment's own, and rare ones.
 * Which settings there are is the description's; one that no group names is the experiment's own.
 */
import type { Parameter } from '../../src-main/shared/records.ts';

export interface SettingGroup {
  title: string;
  parameters: Parameter[];
}

/** By name: common to all experiments, in whatever order they describe them. */
const common: { [title: string]: readonly string[] } = {
  Training: ['seeds', 'epochs', 'lr', 'batch_size', 'trainable', 'orders'],
  Measuring: ['collisions', 'continuation_tokens', 'counterfactuals', 'accumulation'],
  'This machine': ['device', 'threads', 'memory', 'keep'],
};
const own = 'This experiment';

/** Groups that hold something, each with its settings in the description's order. */
export function settingGroups(parameters: readonly Parameter[]): SettingGroup[] {
  const titleOf = ({ name }: Parameter) => Object.keys(common).find((title) => common[title]!.includes(name)) ?? own;
  return ['Training', own, 'Measuring', 'This machine']
    .map((title) => ({ title, parameters: parameters.filter((parameter) => titleOf(parameter) === title) }))
    .filter(({ parameters: found }) => found.length > 0);
}
