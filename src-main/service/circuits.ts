/**
 * The members of the service that the circuit explorer asks: checks of what comes over a port, and the time of each change.
 * What is stored is in database/circuits.ts and database/component-scores.ts.
 */
import { insertCircuit, listCircuits, markCircuitDeleted, updateCircuit } from '../database/circuits.ts';
import { getComponentScores, listScoredRuns, listScores } from '../database/component-scores.ts';
import type { Database } from '../database/open.ts';
import { stateOf } from '../database/runs.ts';
import type { CircuitService, ComponentQuery } from '../shared/contract-circuits.ts';
import { HopscopeError } from '../shared/errors.ts';
import type { Json } from '../shared/records.ts';
import { fieldsOf, requireName, requireNumber, requireText } from './require.ts';

const largestView = 2 ** 20;
const mostNames = 100;

export function circuitMembers(database: Database): CircuitService {
  const now = () => new Date().toISOString();
  return {
    scoredRuns: async (project) =>
      listScoredRuns(database, project === undefined || project === null ? null : requireNumber(project, 'project')),

    async scoreListing(run) {
      stateOf(database, requireText(run, 'run'));
      return listScores(database, run);
    },

    async componentScores(run, query) {
      stateOf(database, requireText(run, 'run'));
      return getComponentScores(database, run, requireQuery(query));
    },

    async circuits(run) {
      stateOf(database, requireText(run, 'run'));
      return listCircuits(database, run);
    },

    async createCircuit(run, { name, view }) {
      return { circuit: insertCircuit(database, requireText(run, 'run'), requireName(name), requireView(view), now()) };
    },

    async changeCircuit(circuit, change) {
      const { name, view } = change;
      updateCircuit(
        database,
        requireNumber(circuit, 'circuit'),
        {
          ...(name === undefined ? {} : { name: requireName(name) }),
          ...(view === undefined ? {} : { view: requireView(view) }),
        },
        now(),
      );
    },

    deleteCircuit: async (circuit) => markCircuitDeleted(database, requireNumber(circuit, 'circuit'), now()),
    restoreCircuit: async (circuit) => markCircuitDeleted(database, requireNumber(circuit, 'circuit'), null),
  };
}

function requireView(view: unknown): Json {
  if (view === undefined || JSON.stringify(view).length > largestView)
    throw new HopscopeError('BadArgument', 'A circuit’s view is missing or larger than 1 MiB: pin fewer components.');
  return view as Json;
}

function requireQuery(query: unknown): ComponentQuery {
  const { stage, names, layer, head } = fieldsOf<ComponentQuery>(query);
  const isIndex = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  const isGood =
    typeof stage === 'string' &&
    Array.isArray(names) &&
    names.length <= mostNames &&
    names.every((name) => typeof name === 'string') &&
    isIndex(layer) &&
    (head === null || isIndex(head));
  if (!isGood) {
    throw new HopscopeError(
      'BadArgument',
      `A component is asked for by a stage, up to ${mostNames} names of scores, a layer and a head (null: all heads added).`,
    );
  }
  return query as ComponentQuery;
}
