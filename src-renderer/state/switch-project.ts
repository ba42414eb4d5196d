/**
 * Making another project the current one from anywhere, or a new one. Lists (`/runs`) then list what is of that one; screens that show one thing
 * of the old project (`/runs/abc`) give way to the new one's home.
 */
import type { Workbench } from './workbench.ts';

/** Goes to `address` where one is given. Returns whether the project was opened; where not, a notice says why. */
export async function switchProject(
  { projects, router }: Pick<Workbench, 'projects' | 'router'>,
  project: number,
  address?: string,
): Promise<boolean> {
  if (project !== projects.current.id && !(await projects.open(project))) return false;
  const isList = router.path.lastIndexOf('/') === 0 && router.path !== '/projects';
  if (address !== undefined) router.go(address);
  else if (!isList) router.go('/');
  return true;
}

/** Makes a project and goes to its home. Returns whether it was made; where not, a notice says why. */
export async function createProject(
  { projects, router }: Pick<Workbench, 'projects' | 'router'>,
  name: string,
): Promise<boolean> {
  const created = await projects.create(name);
  if (created) router.go('/');
  return created;
}
