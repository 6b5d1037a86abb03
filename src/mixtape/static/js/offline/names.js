// The names of what the browser keeps for this site besides the music.

/** The page that lists what is kept, for addresses of which nothing is. */
export const OFFLINE_CACHE = "mixtape-offline";
/** Of the pages of mixtapes; each copy has a cache of its own. */
export const TAPE_CACHES = "mixtape-tape ";
/** The lock of whoever keeps something, so that two tabs do not. */
export const LOCK = "mixtape-keep";
