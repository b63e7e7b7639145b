/** What functions may spend of a gate's false failures; 0.5 are the requests' and 0.1 CPU's in total, so that no check changes what another one says. */
export const FUNCTIONS_PART = 0.4;

/** Of that, what new code in a canary that is still warming may spend (young-canary.ts). */
export const YOUNG_PART = 0.04;
