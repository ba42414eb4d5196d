/**
 * The list of screens: address, title, component, and whether the navigation shows it.
 * A new screen is one component in screens/ and one entry here.
 */
import type { Component } from 'svelte';
import type { IconName } from './components/icons.ts';
import ChooseExperiment from './screens/ChooseExperiment.svelte';
import Home from './screens/Home.svelte';
import NewExperiment from './screens/NewExperiment.svelte';
import Run from './screens/Run.svelte';
import Runs from './screens/Runs.svelte';
import Settings from './screens/Settings.svelte';

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
}

export const screens: Screen[] = [
  { id: 'home', title: 'Home', address: '/', component: Home, icon: 'home' },
  { id: 'new', title: 'New experiment', address: '/new', component: ChooseExperiment, icon: 'add' },
  { id: 'new-of-kind', title: 'New experiment', address: '/new/:experiment', component: NewExperiment, under: 'new' },
  { id: 'runs', title: 'Runs', address: '/runs', component: Runs, icon: 'list' },
  { id: 'run', title: 'Run', address: '/runs/:run', component: Run, under: 'runs' },
  { id: 'settings', title: 'Settings', address: '/settings', component: Settings, icon: 'settings' },
];
