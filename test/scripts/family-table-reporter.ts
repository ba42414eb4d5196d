/**
 * Reporter of vitest: compares README's table of families with how the tests that cover its cells ended, or rewrites it where
 * HOPSCOPE_FAMILY_TABLE is `update`. A run of a part of those tests, or with failures, says nothing about the table.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reporter, TestModule, TestRunEndReason, TestSpecification, Vitest } from 'vitest/node';
import { coveringFiles } from './covering-files.ts';
import { blockOf, type CoveringTest, familyTable, modelOf, type TableModel, withBlock } from './family-table.ts';

const readme = join(import.meta.dirname, '../../README.md');
const modelsFolder = join(import.meta.dirname, '../fixtures/models');

/** Vitest takes a reporter's file by its default export. */
export default class FamilyTableReporter implements Reporter {
  #narrowed = false;
  #complete = false;

  onInit({ config }: Vitest): void {
    this.#narrowed = Boolean(config.testNamePattern) || Boolean(config.shard);
  }

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    const given = new Set(specifications.map(({ moduleId }) => moduleId));
    this.#complete = !this.#narrowed && coveringFiles().every((path) => given.has(path));
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[], reason: TestRunEndReason): void {
    if (!this.#complete || reason === 'interrupted' || errors.length > 0) return;
    const models = goldenModels();
    const tests = coveringTests(modules, new Set(models.map(({ id }) => id)));
    const text = readFileSync(readme, 'utf8');
    const before = blockOf(text);
    if (before === undefined) {
      fail('README.md has no markers for its table of families.');
      return;
    }
    const table = familyTable(models, tests, before);
    if (table === before) return;
    if (process.env.HOPSCOPE_FAMILY_TABLE === 'update') {
      writeFileSync(readme, withBlock(text, table));
      console.log("README's table of families was rewritten.");
      return;
    }
    // What failed is told anyway, and the table should not be made to say so
    if (reason === 'failed') return;
    const known = new Set(before.split('\n'));
    const changed = table.split('\n').filter((line) => !known.has(line));
    fail(
      ["README's table of families differs from what was just measured; `npm run family-table` rewrites it:", ...changed].join(
        '\n',
      ),
    );
  }
}

function fail(message: string): void {
  console.error(`error[FamilyTable]: ${message}`);
  process.exitCode = 1;
}

function goldenModels(): TableModel[] {
  return readdirSync(modelsFolder).map((id) => {
    const config = JSON.parse(readFileSync(join(modelsFolder, id, 'config.json'), 'utf8')) as { model_type: string };
    return { id, family: config.model_type };
  });
}

function coveringTests(modules: readonly TestModule[], ids: ReadonlySet<string>): CoveringTest[] {
  return modules.flatMap((module) =>
    [...module.children.allTests()].flatMap((test) => {
      const { covers } = test.meta();
      if (!covers) return [];
      const names = [test.name];
      for (let suite = test.parent; suite.type === 'suite'; suite = suite.parent) names.unshift(suite.name);
      const model = modelOf(names, ids);
      if (model === undefined)
        throw new Error(`${test.fullName} covers ${covers.columns}, but of which model its name does not say.`);
      return [{ ...covers, model, state: test.result().state }];
    }),
  );
}
