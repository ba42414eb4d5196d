/**
 * The list of screens: address, title, component, and whether the navigation shows it.
 * A new screen is one component in screens/ and one entry here.
 */
import type { Component } from 'svelte';
import type { IconName } from './components/icons.ts';
import ChooseExperiment from './screens/ChooseExperiment.svelte';
import Circuit from './screens/Circuit.svelte';
import Circuits from './screens/Circuits.svelte';
import Compare from './screens/Compare.svelte';
import Dataset from './screens/Dataset.svelte';
import Datasets from './screens/Datasets.svelte';
import Home from './screens/Home.svelte';
import Model from './screens/Model.svelte';
import Models from './screens/Models.svelte';
import NewExperiment from './screens/NewExperiment.svelte';
import Projects from './screens/Projects.svelte';
import Run from './screens/Run.svelte';
import RunItem from './screens/RunItem.svelte';
import Runs from './screens/Runs.svelte';
import Settings from './screens/Settings.svelte';
import type { Shortcut } from './state/shortcuts.ts';

/** What every screen is given: the `:name` parts of its address and what follows the question mark. */
export interface ScreenProps {
  parameters: { [name: string]: string };
  query: URLSearchParams;
}

export interface Screen {
  id: string;
  title: string;
  /** Parts starting with `:` match anything. */
  address: string;
  component: Component<ScreenProps> | Component;
  /** Absent: reached from other screens only. */
  icon?: IconName;
  /** The navigation entry that is lit when this screen has none. */
  under?: string;
  /** The letter that leads here after G. */
  letter?: string;
  /** Keys that the screen itself reads, for the sheet of shortcuts. */
  keys?: Shortcut[];
}

export const screens: Screen[] = [
  { id: 'home', title: 'Home', address: '/', component: Home, icon: 'home', letter: 'h' },
  { id: 'new', title: 'New experiment', address: '/new', component: ChooseExperiment, icon: 'add', letter: 'n' },
  { id: 'new-of-kind', title: 'Experiment set-up', address: '/new/:experiment', component: NewExperiment, under: 'new' },
  {
    id: 'runs',
    title: 'Runs',
    address: '/runs',
    component: Runs,
    icon: 'list',
    letter: 'r',
    keys: [
      { keys: 'Arrows', does: 'Go from run to run; Home and End to the first and last' },
      { keys: 'Shift+Arrows', does: 'Choose the runs on the way' },
      { keys: 'Space', does: 'Choose the run' },
      { keys: 'Ctrl+A', does: 'Choose all' },
      { keys: 'Delete', does: 'Delete the run, or all that are chosen with it' },
    ],
  },
  { id: 'compare', title: 'Compare', address: '/compare', component: Compare, icon: 'compare', letter: 'c' },
  { id: 'run', title: 'Run', address: '/runs/:run', component: Run, under: 'runs' },
  { id: 'run-item', title: 'Item', address: '/runs/:run/items/:set/:item', component: RunItem, under: 'runs' },
  { id: 'circuits', title: 'Circuits', address: '/circuits', component: Circuits, icon: 'circuit', letter: 'k' },
  {
    id: 'circuit',
    title: 'Circuit explorer',
    address: '/runs/:run/circuit',
    component: Circuit,
    under: 'circuits',
    keys: [
      { keys: 'Arrows', does: 'Go from cell to cell, or from component to component' },
      { keys: 'Enter', does: 'Open the component' },
      { keys: 'Space', does: 'Add the component to the selection' },
      { keys: 'P', does: 'Pin or unpin the selected components' },
      { keys: 'G', does: 'Group the selected components' },
      { keys: 'N', does: 'Write a note on the selected component' },
      { keys: '+', does: 'Zoom in' },
      { keys: '-', does: 'Zoom out' },
      { keys: '0', does: 'Fit the circuit' },
      { keys: 'Ctrl+Z', does: 'Undo what was marked' },
      { keys: 'Ctrl+Shift+Z', does: 'Redo it' },
    ],
  },
  { id: 'projects', title: 'Projects', address: '/projects', component: Projects, icon: 'folder', letter: 'p' },
  { id: 'models', title: 'Models', address: '/models', component: Models, icon: 'layers', letter: 'm' },
  { id: 'model', title: 'Model', address: '/models/:id', component: Model, under: 'models' },
  { id: 'datasets', title: 'Data sets', address: '/datasets', component: Datasets, icon: 'table', letter: 'd' },
  {
    id: 'dataset',
    title: 'Data set',
    address: '/datasets/:dataset',
    component: Dataset,
    under: 'datasets',
    keys: [
      { keys: 'Enter', does: 'Edit the cell; typing replaces it' },
      { keys: 'Alt+Enter', does: 'A line end inside the cell' },
      { keys: 'Shift+Arrows', does: 'Select more cells' },
      { keys: 'Ctrl+A', does: 'Select everything' },
      { keys: 'Ctrl+D', does: "Copy the selection's first row down" },
      { keys: 'Ctrl+Enter', does: 'Insert a row below' },
      { keys: 'Ctrl+Delete', does: 'Delete the selected rows' },
      { keys: 'Alt+Up', does: 'Move the selected rows up' },
      { keys: 'Alt+Down', does: 'Move them down' },
      { keys: 'Ctrl+F', does: 'Find and replace' },
      { keys: 'Ctrl+Z', does: 'Undo' },
      { keys: 'Ctrl+Y', does: 'Redo' },
      { keys: 'Ctrl+S', does: 'Save a version' },
      { keys: 'Escape', does: 'Lets the next Tab leave the grid' },
    ],
  },
  { id: 'settings', title: 'Settings', address: '/settings', component: Settings, icon: 'settings', letter: 's' },
];
