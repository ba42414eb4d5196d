/**
 * How large a data set of a project may be, wherever its rows come from. Whether one is larger is judged by whoever reads or keeps it.
 */

/** Most rows of a data set. */
export const mostRows = 50_000;
