/**
 * How many characters names may have, for the fields that ask for them and the host that checks them. What a name may hold is
 * the host's to say.
 */

/** Of a project, a spec, a data set or a circuit. */
export const longestName = 200;

/** Of a run's title; those made from a spec, which hold names of folders, are shorter. */
export const longestTitle = 1000;
