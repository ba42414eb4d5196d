/**
 * The members of each contract that may be asked for over a port: rpc.ts answers to these names and to no other.
 * It is not the contract itself (contract.ts); the type checker refuses a list that misses or invents a member.
 */
import type { Compute, Service } from './contract.ts';

type Members<T> = { readonly [Name in keyof T & string]: true };

const service: Members<Service> = {
  about: true,
  devices: true,
  experiments: true,
  describeModel: true,
  preview: true,
  preflight: true,
  startRun: true,
  stopRun: true,
  deleteRun: true,
  runs: true,
  run: true,
  steps: true,
  itemSets: true,
  evaluations: true,
  scores: true,
  figures: true,
  onRunChanged: true,
};

const compute: Members<Compute> = {
  experiments: true,
  devices: true,
  describeModel: true,
  preview: true,
  preflight: true,
  execute: true,
  onEmission: true,
};

export const serviceMembers = Object.keys(service) as readonly (keyof Service & string)[];
export const computeMembers = Object.keys(compute) as readonly (keyof Compute & string)[];
